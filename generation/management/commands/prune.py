"""`manage.py prune --days N`: delete tasks that ended more than N days ago."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat

from generation import services
from generation.clock import clock


class Command(BaseCommand):
    help = "Say what finished tasks older than N days would be deleted; with --yes, delete them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, required=True, help="age since the task ended")
        parser.add_argument("--yes", action="store_true", help="really delete")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < 0:
            raise CommandError("--days must not be negative")
        clock.synchronise()
        before = clock.now() - timedelta(days=options["days"])
        summary = services.prune_summary(before=before)
        size = filesizeformat(summary.bytes).replace("\xa0", " ")
        self.stdout.write(f"Tasks: {summary.tasks}, pictures: {summary.images}, {size}")
        if not options["yes"]:
            self.stdout.write("Nothing was deleted. Add --yes to delete them.")
            return
        deleted = 0
        while count := services.prune_batch(before=before):
            deleted += count
        self.stdout.write(f"Deleted tasks: {deleted}")
