"""Sends one message: no redirects, no proxies, ten seconds in all, little of the response read."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import httpcore
import httpx
from django.conf import settings

from generation.bounded_http import (
    LimitedBackend,
    LimitedTransport,
    NullCookieJar,
    header_problem,
    limited_head,
    read_body,
    tls_context,
)
from generation.choices import WebhookOutcome
from generation.webhooks.targets import AllowedTargets, NoPublicAddress

TIMEOUT = 10.0
"""Seconds for name, connection, request and response together."""

MAX_BODY = 64 * 1024
MAX_EXCERPT = 1024
"""Bytes of the response that are kept."""

GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReply:
    """What became of a message. `status`: None without a response."""

    outcome: WebhookOutcome
    seconds: float
    status: int | None = None
    excerpt: str = ""

    @property
    def is_delivered(self) -> bool:
        return self.outcome == WebhookOutcome.DELIVERED

    @property
    def is_unwanted(self) -> bool:
        """Whether the receiver asks for no further messages."""
        return self.status == GONE


class CheckedBackend(LimitedBackend):
    """Connects to exactly the addresses that were checked.

    A second look-up could find another address; the name remains in TLS and in `Host`.
    """

    def __init__(self, targets: AllowedTargets) -> None:
        super().__init__()
        self._targets = targets

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the signature is that of httpcore
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = await self._targets.resolve(host, port)
        for address in others:
            try:
                return await super().connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError:
                continue
        return await super().connect_tcp(last, port, timeout, local_address, socket_options)


class WebhookClient:
    """`tls` has the trusted certificates; by default those of the settings."""

    def __init__(
        self,
        targets: AllowedTargets,
        *,
        tls: ssl.SSLContext | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        trusted = tls or tls_context(file=settings.SSL_CERT_FILE, folder=settings.SSL_CERT_DIR)
        self._timeout = timeout
        self._http = httpx.AsyncClient(
            headers={"User-Agent": "LiuJuan-Studio", "Accept-Encoding": "identity"},
            cookies=NullCookieJar(),
            timeout=timeout,
            # each message looks its address up again
            transport=LimitedTransport(
                tls=trusted, most=None, keep_alive=0.0, backend=CheckedBackend(targets)
            ),
            follow_redirects=False,
            trust_env=False,
        )

    async def post(self, url: str, body: str, headers: Mapping[str, str]) -> WebhookReply:
        """Never raises, except when it is cancelled."""
        headers = {"Content-Type": "application/json", **headers}
        return await self._request("POST", url, body, headers)

    async def get(self, url: str) -> WebhookReply:
        """The same without a body."""
        return await self._request("GET", url, "", {})

    async def _request(
        self, method: str, url: str, body: str, headers: Mapping[str, str]
    ) -> WebhookReply:
        began = monotonic()
        status, excerpt = None, ""
        try:
            async with asyncio.timeout(self._timeout):
                status, excerpt = await self._send(method, url, body, headers)
            outcome = outcome_of_status(status)
        except Exception as error:  # noqa: BLE001  also of TLS and of a head that cannot be read
            outcome = outcome_of_error(error)
        return WebhookReply(
            outcome=outcome, status=status, excerpt=excerpt, seconds=monotonic() - began
        )

    async def _send(
        self, method: str, url: str, body: str, headers: Mapping[str, str]
    ) -> tuple[int, str]:
        request = self._http.build_request(
            method, url, content=body.encode(), headers={"Connection": "close", **headers}
        )
        with limited_head():
            response = await self._http.send(request, stream=True)
        try:
            if header_problem(response, None):
                return response.status_code, ""
            read = await read_body(response, MAX_BODY, cut=True)
            return response.status_code, excerpt_of(bytes(read[:MAX_EXCERPT]))
        finally:
            await response.aclose()
            # httpx keeps a cycle of response, stream and connection with its buffers
            response.stream = httpx.ByteStream(b"")

    async def aclose(self) -> None:
        await self._http.aclose()


def excerpt_of(body: bytes) -> str:
    """Text that can be stored and shown: printable characters and line breaks."""
    text = body.decode(errors="replace")
    return "".join(each for each in text if each.isprintable() or each == "\n")


def outcome_of_status(status: int) -> WebhookOutcome:
    if 200 <= status < 300:
        return WebhookOutcome.DELIVERED
    return WebhookOutcome.REDIRECTED if 300 <= status < 400 else WebhookOutcome.REFUSED


def outcome_of_error(error: BaseException) -> WebhookOutcome:
    causes = list(chain_of(error))
    if any(isinstance(each, NoPublicAddress) for each in causes):
        return WebhookOutcome.NO_ADDRESS
    if any(isinstance(each, TimeoutError | httpx.TimeoutException) for each in causes):
        return WebhookOutcome.TIMED_OUT
    if any(isinstance(each, ssl.SSLError) for each in causes):
        return WebhookOutcome.TLS_FAILED
    return WebhookOutcome.UNREACHABLE


def chain_of(error: BaseException | None) -> Iterable[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
