"""Redis connections of the channel layer."""

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

RESPONSE_TIMEOUT = 15.0
"""Seconds for one response of Redis, unless its URL sets `socket_timeout`."""


class CancellableConnection(AbstractConnection):
    """Raises a cancellation that arrives while a command is written.

    redis-py writes within `asyncio.wait_for`. Up to Python 3.11 that swallows a cancellation if
    the write ends in the same iteration of the event loop: the cancelled task, or an expired
    `asyncio.timeout`, would go on.
    """

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        await super().send_packed_command(command, check_health)
        if task and task.cancelling() > before:
            # as redis-py does: the response to this command must not be read by the next one
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
    """One entry of `hosts` in the configuration of channels_redis."""
    options: dict[str, Any] = {"socket_timeout": RESPONSE_TIMEOUT, **parse_url(url)}
    kind = options.pop("connection_class", Connection)
    return {**options, "connection_class": CANCELLABLE[kind]}
