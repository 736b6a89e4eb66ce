"""Checks whether the database accepts writes, without writing."""

from __future__ import annotations

from django.db import OperationalError, connection

from generation import sql

WRITER_BUSY = "locked"

LOCK_TIMEOUT = 400
"""Milliseconds to wait for another writer of the SQLite file."""


def accepts_writes() -> bool:
    """Whether `write_error` is empty; raises if the database is down."""
    return not write_error()


def write_error() -> str:
    """Why the database refuses writes, or empty; raises if it is down.

    `read_only`: a standby server or a read-only file. `locked`: another process keeps the write
    lock of the SQLite file.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(sql.READ_ONLY_OF_POSTGRESQL)
            read_only: str = cursor.fetchone()[0]
        return "" if read_only == "off" else "read_only"
    # our transactions are IMMEDIATE: this one holds the write lock already
    return "" if connection.in_atomic_block else begin_error()


def begin_error() -> str:
    """`write_error` for SQLite."""
    with connection.cursor() as cursor:
        cursor.execute(sql.LOCK_TIMEOUT_OF_SQLITE)
        patience = cursor.fetchone()[0]
        cursor.execute(sql.SET_LOCK_TIMEOUT_OF_SQLITE.format(milliseconds=LOCK_TIMEOUT))
        try:
            cursor.execute(sql.BEGIN_WRITING_TO_SQLITE)
            try:
                # an immediate transaction begins even on a read-only file
                cursor.execute(sql.WRITE_TO_SQLITE)
            finally:
                cursor.execute(sql.UNDO_IN_SQLITE)
        except OperationalError as error:
            return "locked" if WRITER_BUSY in str(error) else "read_only"
        finally:
            cursor.execute(sql.SET_LOCK_TIMEOUT_OF_SQLITE.format(milliseconds=patience))
    return ""
