"""`manage.py migrate`, which gives up instead of stopping the site behind a long transaction."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from generation import sql

LOCK_TIMEOUT = 5.0
"""Seconds. A change of a table waits for every transaction that has read it, and all that need the
table afterwards wait behind the change."""


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-timeout",
            type=float,
            default=LOCK_TIMEOUT,
            metavar="SECONDS",
            help="with PostgreSQL: give up after waiting so long for a table, so that the site is "
            "not kept waiting too; 0 waits for ever (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.connection = connections[options.get("database") or DEFAULT_DB_ALIAS]
        self.lock_timeout: float = options["lock_timeout"]
        try:
            super().handle(*args, **options)
        except OperationalError as error:
            if not is_lock_timeout(error):
                raise
            raise CommandError(
                f"A table is in use: {self.oldest_transaction()}. The migration that waited for it "
                f"was undone after {self.lock_timeout:g} s, so that the site goes on; those before "
                "it were applied. End that transaction, then type manage.py migrate again."
            ) from error
        finally:
            self.limit_waiting(0)

    def migration_progress_callback(
        self, action: str, migration: Any = None, fake: bool = False
    ) -> None:
        """Limit the locks of a migration in a transaction.

        Others build indexes concurrently: they stop nothing while they wait, and an interrupted
        one has to begin again.
        """
        if action in ("apply_start", "unapply_start"):
            self.limit_waiting(self.lock_timeout if migration.atomic else 0)
        super().migration_progress_callback(action, migration, fake)

    def limit_waiting(self, seconds: float) -> None:
        if self.connection.vendor == "postgresql":
            with self.connection.cursor() as cursor:
                cursor.execute(sql.SET_LOCK_TIMEOUT_OF_POSTGRESQL, [f"{seconds * 1e3:.0f}ms"])

    def oldest_transaction(self) -> str:
        with self.connection.cursor() as cursor:
            cursor.execute(sql.OLDEST_TRANSACTION_OF_POSTGRESQL)
            row = cursor.fetchone()
        if row is None:
            return "its transaction has just ended"
        pid, began = row
        return f"the oldest transaction, of process {pid} of PostgreSQL, began at {began:%H:%M:%S}"


def is_lock_timeout(error: OperationalError) -> bool:
    from psycopg.errors import LockNotAvailable

    return isinstance(error.__cause__, LockNotAvailable)
