"""The database: its version, its clock, and how much of its space is dead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import Error as DatabaseProblem
from django.db import connection
from django.utils import timezone

from generation import readiness, selectors, sql
from generation.management.doctor.answers import Answer, Section, no, skipped, yes
from generation.models import TaskEvent
from generation.outages import cause_of

MAX_SKEW = timedelta(seconds=2)
"""More than the round trip of a slow query; certificates and logs need clocks that agree."""

MIN_DEAD_ROWS = 10_000
DEAD_SHARE = 0.5
"""Of rows or pages; autovacuum begins at a fifth, so half means that it does not keep up."""

MIN_FREE_PAGES = 4_096
"""16 MiB with the usual pages: a smaller file is not worth the effort."""


def ask_database() -> Iterator[Answer]:
    answering = is_database_answering()
    yield answering
    if answering.state == "yes":
        yield from (question() for question in QUESTIONS)


def is_database_answering() -> Answer:
    question = "Does the database answer, in a version that Django supports?"
    try:
        # Django compares the version whenever it connects
        connection.ensure_connection()
        version = ".".join(map(str, connection.get_database_version()))
    except DatabaseProblem as error:
        hint = "start the database; compare DATABASE_URL"
        return no(question, cause_of(error), hint=hint, see=Section.WATCH)
    return yes(question, f"{connection.display_name} {version}")


def does_it_take_writes() -> Answer:
    question = "Does the database take writes?"
    problem = selectors.write_error()
    if problem:
        hint = readiness.WRITE_ERRORS[problem]
        return no(question, problem, hint=hint, see=Section.WATCH)
    return yes(question)


def are_migrations_applied() -> Answer:
    question = "Are all migrations applied?"
    pending = sorted(readiness.pending_migrations())
    if pending:
        app, name = pending[0]
        found = f"{len(pending)} are pending, the first is {app}.{name}"
        return no(question, found, hint="manage.py migrate", see=Section.UPGRADE)
    return yes(question)


def do_clocks_agree() -> Answer:
    question = "Do the clocks of the database and of this host agree?"
    if connection.vendor != "postgresql":
        return skipped(question, "SQLite has no clock of its own")
    with connection.cursor() as cursor:
        before = timezone.now()
        cursor.execute(sql.TIME_OF_POSTGRESQL)
        there: datetime = cursor.fetchone()[0]
        after = timezone.now()
    # it was read at some time between the two
    ahead = max(there - after, before - there, timedelta(0))
    if ahead > MAX_SKEW:
        return no(
            question,
            f"they differ by {ahead.total_seconds():.1f} s",
            hint="turn on time synchronisation on both: timedatectl set-ntp true",
            see=Section.SETTINGS,
        )
    return yes(question, f"within {(after - before).total_seconds() * 1_000:.0f} ms")


def is_log_compact() -> Answer:
    question = "Is most of the space of the event log in use?"
    dead, live = dead_rows() if connection.vendor == "postgresql" else free_pages()
    least = MIN_DEAD_ROWS if connection.vendor == "postgresql" else MIN_FREE_PAGES
    what = "rows" if connection.vendor == "postgresql" else "pages"
    found = f"{dead} dead and {live} live {what}"
    if dead >= least and dead > DEAD_SHARE * (dead + live):
        return no(
            question,
            found,
            hint=f"VACUUM {TaskEvent._meta.db_table}; and check why autovacuum is late"
            if connection.vendor == "postgresql"
            else "VACUUM with all processes stopped: sqlite3 db.sqlite3 VACUUM",
            see=Section.SIZING,
        )
    return yes(question, found)


def dead_rows() -> tuple[int, int]:
    """Dead and live rows of the event log, as PostgreSQL counts them."""
    with connection.cursor() as cursor:
        cursor.execute(sql.DEAD_ROWS_OF_POSTGRESQL, [TaskEvent._meta.db_table])
        row = cursor.fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def free_pages() -> tuple[int, int]:
    """Free and used pages of the SQLite file."""
    with connection.cursor() as cursor:
        cursor.execute(sql.FREE_PAGES_OF_SQLITE)
        free = int(cursor.fetchone()[0])
        cursor.execute(sql.PAGES_OF_SQLITE)
        return free, int(cursor.fetchone()[0]) - free


def is_wal_on() -> Answer:
    question = "Do readers and writers of the database not block each other (WAL)?"
    if connection.vendor != "sqlite":
        return skipped(question, "of SQLite only")
    with connection.cursor() as cursor:
        cursor.execute(sql.JOURNAL_OF_SQLITE)
        mode = str(cursor.fetchone()[0])
    if mode != "wal":
        return no(
            question,
            f"journal_mode is {mode}",
            hint="put the file on a local disk: WAL does not work on network disks",
            see=Section.FILES,
        )
    return yes(question)


QUESTIONS = (
    does_it_take_writes,
    are_migrations_applied,
    do_clocks_agree,
    is_log_compact,
    is_wal_on,
)
