"""`manage.py`: Django's commands, with a sentence where the operator has to act."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from django.core.management import execute_from_command_line
from django.db import DatabaseError, Error

from accounts.log_escaping import MAX_CAUSE
from generation.log_lines import cause_of, database
from liujuan_site.environment import load_settings, shown

WRITABLE_BY_OTHERS = 0o022
UNDEFINED = {"42P01", "42703"}
"""PostgreSQL's codes for a missing table and a missing column."""


def run(arguments: list[str]) -> None:
    """Run one command; wrong settings and a database that cannot be used end it with status 1."""
    # stricter masks stay: files that other accounts can write hold code and secrets
    os.umask(os.umask(WRITABLE_BY_OTHERS) | WRITABLE_BY_OTHERS)
    load_settings()
    with sentences(traceback="--traceback" in arguments):
        execute_from_command_line(arguments)


@contextlib.contextmanager
def sentences(*, traceback: bool = False) -> Iterator[None]:
    """End the process with status 1 and the cause if the database cannot be used."""
    try:
        yield
    except Error as error:
        if traceback or not is_unusable(error):
            raise
        sys.exit(sentence(error))


def is_unusable(error: Error) -> bool:
    """Whether the database is to blame, and not the statement; SQLite has no class for it."""
    return isinstance(error, database.AWAY) or type(error) is DatabaseError or is_old(error)


def is_old(error: Error) -> bool:
    """Whether tables or columns are missing."""
    known = getattr(error.__cause__, "sqlstate", None) in UNDEFINED
    return known or str(error).startswith(("no such table", "no such column"))


def sentence(error: Error) -> str:
    # the pool tells why it cannot connect while it tries, and at the end only that it did not
    cause = next(iter(sorted(database.causes)), "") or cause_of(error)
    advice = "Run manage.py migrate." if is_old(error) else "Check DATABASE_URL, and that it runs."
    return f"The database cannot be used: {shown(cause, MAX_CAUSE)}\n{advice}"
