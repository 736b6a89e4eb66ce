"""`manage.py status`: print the report of `/readyz` with its details."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation import readiness

TIMEOUT = 10.0


class Command(BaseCommand):
    help = "Print the state of database, storage, workers and models, with what to do."

    def handle(self, *args: Any, **options: Any) -> None:
        report = readiness.database_check.wait(TIMEOUT) | readiness.disk_check.wait(TIMEOUT)
        for name, part in report.items():
            self.stdout.write(f"{name}: {part.word}" + (f" ({part.detail})" if part.detail else ""))
        failed = [name for name, part in report.items() if not part.ok]
        if failed:
            raise CommandError(f"Not in order: {', '.join(failed)}")
