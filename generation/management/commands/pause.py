"""`manage.py pause`: no worker claims a task until `manage.py resume`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from generation import services


class Command(BaseCommand):
    help = "Let workers finish what they draw, and claim nothing more until `manage.py resume`."

    def handle(self, *args: Any, **options: Any) -> None:
        services.pause()
        self.stdout.write("Paused. Workers notice it within a few seconds.")
