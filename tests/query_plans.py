"""Statements and their plans."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext


def plan_of(sql: str, *, many_rows: bool = False) -> str:
    """The plan of a statement; PostgreSQL scans no table sequentially unless it has many rows."""
    with connection.cursor() as database:
        if connection.vendor == "postgresql" and not many_rows:
            database.execute("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        database.execute(f"{explain} {sql}")
        return str(database.fetchall())


def analyze(*tables: str) -> None:
    """Let PostgreSQL plan for the rows that are there."""
    if connection.vendor == "postgresql":
        with connection.cursor() as database:
            database.execute(f"ANALYZE {', '.join(tables)}")


def count_queries(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)
