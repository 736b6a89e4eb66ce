"""Database calls outside the one thread that sockets and the worker share."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")


def with_own_connection(call: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """`call` in another thread, with a connection that is closed afterwards.

    `sync_to_async` closes none: on PostgreSQL one that its thread keeps is lost to the pool. On
    SQLite they have no greatest age, so that `database_sync_to_async` closes none either.
    """

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        finally:
            connections.close_all()

    return sync_to_async(run, thread_sensitive=False)


async def read_in_threads(chunks: Generator[bytes]) -> AsyncIterator[bytes]:
    """The chunks, each read in a thread once the client has taken the one before.

    Between two chunks no connection to the database is held.
    """
    read: Any = with_own_connection(next)
    try:
        while (chunk := await read(chunks, None)) is not None:
            yield chunk
    finally:
        # ValueError: cancelled while the thread runs the generator, which is closed afterwards
        with contextlib.suppress(ValueError):
            chunks.close()
