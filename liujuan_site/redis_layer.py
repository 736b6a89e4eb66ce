"""How the channel layer reaches Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
    parse_url,
)

ANSWER_LIMIT = 15.0
"""Seconds that Redis has for one answer, unless its URL says otherwise."""


class CancellableConnection(AbstractConnection):
    """Keeps a cancellation that arrives while a command is written.

    redis-py writes within `asyncio.wait_for`, which up to Python 3.11 returns normally if the
    write ends in the same turn of the loop: the cancelled task, or an expired
    `asyncio.timeout`, would go on as if nothing had happened.
    """

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        await super().send_packed_command(command, check_health)
        if task and task.cancelling() > before:
            # like redis-py itself: the answer to what was sent must not reach the next command
            await self.disconnect(nowait=True)
            raise asyncio.CancelledError


class CancellableTCP(CancellableConnection, Connection):
    """redis://"""


class CancellableTLS(CancellableConnection, SSLConnection):
    """rediss://"""


class CancellableUnix(CancellableConnection, UnixDomainSocketConnection):
    """unix://"""


CANCELLABLE: dict[type[AbstractConnection], type[AbstractConnection]] = {
    Connection: CancellableTCP,
    SSLConnection: CancellableTLS,
    UnixDomainSocketConnection: CancellableUnix,
}


def redis_host(url: str) -> dict[str, Any]:
    """The arguments of channels_redis for one server."""
    options: dict[str, Any] = {"socket_timeout": ANSWER_LIMIT, **parse_url(url)}
    kind = options.pop("connection_class", Connection)
    return {**options, "connection_class": CANCELLABLE[kind]}
