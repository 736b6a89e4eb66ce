# ruff: noqa: ASYNC109  the signatures are those of httpcore
"""The network backend of the HTTP library, which limits what comes before a response head.

The library reads interim heads (1xx) in a loop that neither yields to other tasks nor reports
them. So this module counts their bytes, reads small pieces, and yields after each.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore
import httpx

HEAD_BYTES = 64 * 1024
"""Bytes until the final head is complete, interim heads included; a real one has 200."""

HEAD_PIECE = 1024
"""Bytes read at once until then; parsing them takes a few milliseconds."""

head_limit: ContextVar[HeadLimit | None] = ContextVar("head_limit", default=None)


class HeadLimit:
    """The head that the call in this context waits for."""

    def __init__(self) -> None:
        self.left = HEAD_BYTES

    def count(self, data: bytes) -> None:
        self.left -= len(data)
        if self.left < 0:
            raise httpcore.RemoteProtocolError(f"no head within {HEAD_BYTES} bytes")


@contextmanager
def limited_head() -> Iterator[None]:
    """Count what is read in this context as the head of a response."""
    token = head_limit.set(HeadLimit())
    try:
        yield
    finally:
        head_limit.reset(token)


class HandshakeTimeout(httpcore.ConnectTimeout):
    """The connection was accepted but its TLS handshake did not complete."""


class LimitedStream(httpcore.AsyncNetworkStream):
    """A connection on which the bytes of an awaited head are counted."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        limit = head_limit.get()
        if limit is None:
            return await self._stream.read(max_bytes, timeout)
        data = await self._stream.read(min(max_bytes, HEAD_PIECE), timeout)
        limit.count(data)
        await asyncio.sleep(0)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            return LimitedStream(
                await self._stream.start_tls(ssl_context, server_hostname, timeout)
            )
        except httpcore.ConnectTimeout as error:
            raise HandshakeTimeout(str(error)) from error

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class LimitedBackend(httpcore.AnyIOBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await super().connect_tcp(host, port, timeout, local_address, socket_options)
        return LimitedStream(stream)


class LimitedTransport(httpx.AsyncHTTPTransport):
    """The transport of the library on this network backend; no proxies, no HTTP/2."""

    def __init__(
        self, *, tls: ssl.SSLContext | None, most: int | None, keep_alive: float | None
    ) -> None:
        context = tls or httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        # the library has no public way to set the network backend
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=most,
            keepalive_expiry=keep_alive,
            network_backend=LimitedBackend(),
        )
