"""Whether the database can be written to, asked without writing anything."""

from __future__ import annotations

from django.db import OperationalError, connection

from generation import sql

WRITER_BUSY = "locked"

LOCK_TIMEOUT = 400
"""Milliseconds that another writer of the SQLite file may take before it counts as holding it."""


def accepts_writes() -> bool:
    """Whether `write_error` finds none; raises if the database is away."""
    return not write_error()


def write_error() -> str:
    """`read_only` for a standby or a file that cannot be written, `locked` for a SQLite file whose
    write lock another process keeps, empty if it can be written; raises if it is away."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(sql.READ_ONLY_OF_POSTGRESQL)
            read_only: str = cursor.fetchone()[0]
        return "" if read_only == "off" else "read_only"
    # a transaction of ours is IMMEDIATE: it could not have begun
    return "" if connection.in_atomic_block else begin_error()


def begin_error() -> str:
    """Why SQLite begins no transaction that may write, or empty."""
    with connection.cursor() as cursor:
        cursor.execute(sql.LOCK_TIMEOUT_OF_SQLITE)
        patience = cursor.fetchone()[0]
        cursor.execute(sql.SET_LOCK_TIMEOUT_OF_SQLITE.format(milliseconds=LOCK_TIMEOUT))
        try:
            cursor.execute(sql.BEGIN_WRITING_TO_SQLITE)
            try:
                # on a read-only file even an immediate transaction begins
                cursor.execute(sql.WRITE_TO_SQLITE)
            finally:
                cursor.execute(sql.UNDO_IN_SQLITE)
        except OperationalError as error:
            return "locked" if WRITER_BUSY in str(error) else "read_only"
        finally:
            cursor.execute(sql.SET_LOCK_TIMEOUT_OF_SQLITE.format(milliseconds=patience))
    return ""
