"""Statements that are sent to the database, and their plans."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from asgiref.sync import sync_to_async
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


@contextmanager
def queries() -> Iterator[list[str]]:
    """Filled at the end with the statements that were sent meanwhile."""
    sent: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield sent
    texts = [query["sql"] for query in captured.captured_queries]
    # a hub reads the time now and then
    sent += [text for text in texts if "clock_timestamp" not in text]


@asynccontextmanager
async def queries_of_threads() -> AsyncIterator[list[str]]:
    """The same for code of an event loop, which sends its statements from a thread."""
    capture = queries()
    sent = await sync_to_async(capture.__enter__)()
    yield sent
    await sync_to_async(capture.__exit__)(None, None, None)
