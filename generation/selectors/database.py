"""Whether the database can be written to, asked without writing anything."""

from __future__ import annotations

from django.db import OperationalError, connection

WRITER_BUSY = "locked"


def accepts_writes() -> bool:
    """False for a standby, a read-only database or a read-only file; raises if it is away."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")
            read_only: str = cursor.fetchone()[0]
        return read_only == "off"
    # a transaction of ours is IMMEDIATE: it could not have begun
    return connection.in_atomic_block or can_begin()


def can_begin() -> bool:
    """Whether SQLite begins a transaction that may write; another writer proves as much."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        patience = cursor.fetchone()[0]
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                # on a read-only file even an immediate transaction begins
                cursor.execute("CREATE TABLE writable (id integer)")
            finally:
                cursor.execute("ROLLBACK")
        except OperationalError as error:
            return WRITER_BUSY in str(error)
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(patience)}")
    return True
