"""`manage.py prune`: delete what was kept long enough, or tasks older than `--days`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import date, filesizeformat

from generation import selectors, services
from generation.clock import clock
from generation.selectors import ReportLine


class Command(BaseCommand):
    help = (
        "Say what retention would delete now; with --yes, delete it. With --days, this is about "
        "finished tasks older than that, with their logs and pictures, whatever retention says."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="age since the task ended")
        parser.add_argument("--yes", action="store_true", help="really delete")

    def handle(self, *args: Any, **options: Any) -> None:
        clock.synchronise()
        now, days = clock.now(), options["days"]
        if days is not None and days < 0:
            raise CommandError("--days must not be negative")
        if days is None:
            self.obey_retention(now, really=options["yes"])
        else:
            self.delete_tasks(now - timedelta(days=days), really=options["yes"])

    def obey_retention(self, now: datetime, *, really: bool) -> None:
        report = selectors.prune_report(now=now)
        for line in report.lines:
            self.stdout.write(line_text(line))
        if not report.is_whole:
            self.stdout.write("Only the data of the first users was counted.")
        if not really:
            self.stdout.write("Nothing was deleted. Add --yes to delete it.")
            return
        totals = services.Pruned()
        for owners in selectors.pages_of_users():
            kept = selectors.days_kept(owners)
            while pruned := services.prune_owners(kept, at=now, now=now, failed=totals.failed):
                totals += pruned
        for _deleted in services.purge_trash(now=now):
            pass
        self.stdout.write(
            f"Removed prompts: {totals.prompts}, shortened logs: {totals.logs} "
            f"({totals.events} events), pictures moved to the trash: {totals.pictures}"
        )
        if totals.failed:
            self.stdout.write(f"Prompts not removed: {len(totals.failed)}, see the log")

    def delete_tasks(self, before: datetime, *, really: bool) -> None:
        summary = services.prune_summary(before=before)
        size = plain_size(summary.bytes)
        self.stdout.write(f"Tasks: {summary.tasks}, pictures: {summary.images}, {size}")
        if not really:
            self.stdout.write("Nothing was deleted. Add --yes to delete them.")
            return
        deleted = 0
        while count := services.prune_batch(before=before):
            deleted += count
        self.stdout.write(f"Deleted tasks: {deleted}")


def line_text(line: ReportLine) -> str:
    time = "for ever" if line.days is None else f"{line.days} days"
    found = f"tasks: {line.tasks}, events: {line.events}, pictures: {line.pictures}"
    more = " or more" if line.is_least else ""
    oldest = f", oldest {date(line.oldest, 'Y-m-d')}" if line.oldest else ""
    size = plain_size(line.bytes)
    return f"{line.kind}, {time}, users: {line.users}: {found}, {size}{more}{oldest}"


def plain_size(size: int) -> str:
    return filesizeformat(size).replace("\xa0", " ")
