"""`manage.py`: Django's commands, with one sentence instead of a traceback for the operator."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from django.core.management import execute_from_command_line
from django.db import DatabaseError, Error

from accounts.log_format import MAX_CAUSE
from generation.outages import cause_of, database
from liujuan_site.environment import load_settings, shown

WRITABLE_BY_OTHERS = 0o022
UNDEFINED = {"42P01", "42703"}
"""PostgreSQL's codes for a missing table and a missing column."""


def run(arguments: list[str]) -> None:
    """Run one command; exit with status 1 for wrong settings or an unusable database."""
    # add to the umask: no file with code or secrets may be writable by other accounts
    os.umask(os.umask(WRITABLE_BY_OTHERS) | WRITABLE_BY_OTHERS)
    load_settings()
    with sentences(traceback="--traceback" in arguments):
        execute_from_command_line(arguments)


@contextlib.contextmanager
def sentences(*, traceback: bool = False) -> Iterator[None]:
    """Exit with status 1 and the cause if the database cannot be used."""
    try:
        yield
    except Error as error:
        if traceback or not is_unusable(error):
            raise
        sys.exit(sentence(error))


def is_unusable(error: Error) -> bool:
    """Whether the database failed, not the statement; SQLite raises plain DatabaseError for it."""
    return isinstance(error, database.AWAY) or type(error) is DatabaseError or is_old(error)


def is_old(error: Error) -> bool:
    """Whether tables or columns are missing: migrations were not run."""
    is_undefined = getattr(error.__cause__, "sqlstate", None) in UNDEFINED
    return is_undefined or str(error).startswith(("no such table", "no such column"))


def sentence(error: Error) -> str:
    # the pool logs why it cannot connect; its final error has no cause
    cause = next(iter(sorted(database.causes)), "") or cause_of(error)
    advice = "Run manage.py migrate." if is_old(error) else "Check DATABASE_URL, and that it runs."
    return f"The database cannot be used: {shown(cause, MAX_CAUSE)}\n{advice}"
