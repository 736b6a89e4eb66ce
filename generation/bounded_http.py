# ruff: noqa: ASYNC109  the signatures are those of httpcore
"""Reads responses of other servers within limits: what precedes the head, headers, and bodies.

The HTTP library reads interim heads (1xx) in a loop that neither yields to other tasks nor reports
them. So the network backend counts their bytes, reads small pieces, and yields after each.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookiejar import CookieJar
from typing import Any

import httpcore
import httpx

HEAD_BYTES = 64 * 1024
"""Bytes until the final head is complete, interim heads included; a real one has 200."""

HEAD_PIECE = 1024
"""Bytes read at once until then; parsing them takes a few milliseconds."""

MAX_HEADERS = 100
HEADER_BYTES = 32 * 1024

CHUNKS_PER_TURN = 16
"""Chunks read before other tasks get a turn."""

MAX_CHUNKS = 1_000
MIN_CHUNK = 512
"""Minimum average bytes of a chunk beyond the first MAX_CHUNKS, because each chunk takes 0.1 ms
whatever its size."""

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


class UnusableBody(Exception):
    """A body that is too large, or in too many chunks; the message says which."""


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
    """The transport of the library on this network backend, to a proxy if there is one; no HTTP/2.

    Whatever the environment names as proxy is not used.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None,
        most: int | None,
        keep_alive: float | None,
        backend: LimitedBackend | None = None,
        proxy: str = "",
    ) -> None:
        context = tls or httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        limits: dict[str, Any] = {
            "ssl_context": context,
            "max_connections": most,
            "keepalive_expiry": keep_alive,
            "network_backend": backend or LimitedBackend(),
        }
        # the library has no public way to set the network backend
        if proxy:
            to = httpx.Proxy(proxy)
            self._pool = httpcore.AsyncHTTPProxy(
                proxy_url=str(to.url), proxy_auth=to.raw_auth, **limits
            )
        else:
            self._pool = httpcore.AsyncConnectionPool(**limits)


class NullCookieJar(CookieJar):
    """Stores no cookies: they would be sent with every request, in any number."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        return


def tls_context(
    *, file: str = "", folder: str = "", own: str = "", verify: bool = True
) -> ssl.SSLContext:
    """Trusts the certificates of `file` and `folder`, or those of the library if both are empty.

    `own` is a file with the certificate and key that are shown to servers that ask for one. Without
    `verify`, every certificate of every name is trusted.
    """
    if file or folder:
        context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    else:
        context = httpx.create_ssl_context(trust_env=False)
    if own:
        # with a password, because the library would ask on the terminal for that of a key
        context.load_cert_chain(own, password="")
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def header_problem(response: httpx.Response, limit: int | None) -> str:
    """Why the headers forbid reading the body; empty if they do not."""
    headers = response.headers.raw
    if len(headers) > MAX_HEADERS or sum(len(a) + len(b) for a, b in headers) > HEADER_BYTES:
        return f"an answer with {len(headers)} headers"
    encodings = response.headers.get("content-encoding", "").lower().split(",")
    if any(each.strip() not in ("", "identity") for each in encodings):
        # a few kilobytes can unpack to gigabytes, and the request accepted no encoding
        return "an answer in an encoding that was not asked for"
    length = response.headers.get("content-length", "")
    if limit is not None and length.isdecimal() and (len(length) > 18 or int(length) > limit):
        return f"an answer of more than {limit} bytes"
    return ""


async def read_body(response: httpx.Response, limit: int, *, cut: bool) -> bytearray:
    """The body; beyond `limit` raises UnusableBody, or cuts it."""
    body, chunks = bytearray(), 0
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            if cut:
                return body[:limit]
            raise UnusableBody(f"an answer of more than {limit} bytes")
        chunks += 1
        if chunks > MAX_CHUNKS + len(body) // MIN_CHUNK:
            if cut:
                return body
            raise UnusableBody(f"an answer in {chunks} chunks of {len(body)} bytes")
        if chunks % CHUNKS_PER_TURN == 0:
            await asyncio.sleep(0)
    return body
