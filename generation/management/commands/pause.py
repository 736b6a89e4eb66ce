"""`manage.py pause`: no worker claims a task until `manage.py resume`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from generation import services


class Command(BaseCommand):
    help = "Let workers finish what they draw, and claim nothing more until `manage.py resume`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--clone",
            action="store_true",
            help="before you clone the disk or machine: workers also end no calls of lost workers, "
            "send no webhooks and delete nothing",
        )

    def handle(self, *args: Any, clone: bool, **options: Any) -> None:
        if clone:
            services.hold()
        else:
            services.pause()
        self.stdout.write("Paused. Workers notice it within a few seconds.")
