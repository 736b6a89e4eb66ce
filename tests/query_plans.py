"""Plans of the database for queries."""

from __future__ import annotations

from django.db import connection


def plan_of(sql: str) -> str:
    """The plan of a statement; PostgreSQL must not scan the small tables of tests sequentially."""
    with connection.cursor() as database:
        if connection.vendor == "postgresql":
            database.execute("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        database.execute(f"{explain} {sql}")
        return str(database.fetchall())
