"""Connections to the model server: a request goes out, an answer or an error of our tree comes."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from http.cookiejar import CookieJar
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import httpx

from generation.exceptions import (
    StudioError,
    XinferenceDropped,
    XinferenceError,
    XinferenceFailed,
    XinferenceUnreachable,
)
from generation.xinference.network import PacedTransport, awaiting_head
from generation.xinference.operator_messages import reason_of_failure
from generation.xinference.response_body import read_response
from generation.xinference.responses import ServerResponse


class CountsErrors(Protocol):
    errors: int


C = TypeVar("C", bound=CountsErrors)
P = ParamSpec("P")
T = TypeVar("T")

CONNECT_LIMIT = 5.0
SEND_LIMIT = 30.0

MAX_CONCURRENT_POLLS = 4
"""Connections for polls: a request looks at every open one, and those of calls may be many."""

KEEP_ALIVE = 3.0
"""Seconds an idle connection is kept; the server closes it after 5, and the same 5 is a race."""

BEARER = re.compile(r"Bearer [^'\"]+")

NOT_SENT = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)
NOT_ANSWERED = (httpx.ConnectError, httpx.TimeoutException)


def translate_errors(
    call: Callable[Concatenate[C, P], Awaitable[T]],
) -> Callable[Concatenate[C, P], Coroutine[Any, Any, T]]:
    """A call of which nothing but StudioError comes out, without the frames behind it.

    Whatever an answer makes a library raise (there is no complete list) is a failure of the
    server. And an error that is kept keeps the frames of its traceback, with the answer and all
    that was read from it: callers keep errors in tasks, whose frames the traceback then holds, a
    cycle. Cycles are collected rarely here: 40 answers of 20 MB took 1.5 GiB. So the traceback
    ends at this gate.
    """

    @wraps(call)
    async def guarded(client: C, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await call(client, *args, **kwargs)
        except StudioError as error:
            client.errors += 1
            error.__context__ = error.__cause__ = None
            raise error.with_traceback(None) from None
        except Exception as error:  # noqa: BLE001  see above
            client.errors += 1
            words = f"{type(error).__name__}: {error}"
        raise XinferenceFailed(words)

    return guarded


class NoCookies(CookieJar):
    """Keeps none: they would be sent with every request, and nothing bounds their number."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        return


class HttpConnections:
    """One pool for calls, which may be many and long, and a small one for polls."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        transport: httpx.AsyncBaseTransport | None,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._api_key = api_key
        self.base_url = base_url
        self._answered = False
        headers = {b"Accept-Encoding": b"identity"}
        if api_key:
            headers[b"Authorization"] = b"Bearer " + api_key.encode()

        def pool(most: int | None) -> httpx.AsyncClient:
            return httpx.AsyncClient(
                base_url=base_url,
                headers=headers,
                cookies=NoCookies(),
                # a picture takes as long as it takes: the caller's stall limit ends a silent call
                timeout=httpx.Timeout(
                    connect=CONNECT_LIMIT, read=None, write=SEND_LIMIT, pool=None
                ),
                transport=transport or PacedTransport(tls=tls, most=most, keep_alive=KEEP_ALIVE),
                # neither a proxy for the world outside nor ~/.netrc is meant for the model server
                trust_env=False,
            )

        self._calls = pool(None)
        self._polls = pool(MAX_CONCURRENT_POLLS)

    async def send(
        self, method: str, path: str, body: dict[str, Any] | None, *, limit: int, poll: bool = False
    ) -> ServerResponse:
        """The answer, of at most `limit` bytes if it is a 200.

        Raises XinferenceUnreachable if no server was reached or it went silent, XinferenceFailed
        if the request cannot be sent or the answer cannot be used, and XinferenceDropped if the
        connection broke: what became of the request is unknown then.
        """
        kind: type[XinferenceError]
        pool = self._polls if poll else self._calls
        try:
            content = None if body is None else json.dumps(body).encode()
            headers = {} if body is None else {"Content-Type": "application/json"}
            request = pool.build_request(method, path, content=content, headers=headers)
            with awaiting_head():
                response = await pool.send(request, stream=True)
            self._answered = True
            try:
                return await read_response(response, limit)
            finally:
                await response.aclose()
                # httpx ties response and stream to each other, and to the connection with
                # its buffers: 190 KiB for an answer that was not read to its end
                response.stream = httpx.ByteStream(b"")
        except XinferenceError:
            raise
        except NOT_ANSWERED as error:
            kind, words = XinferenceUnreachable, self.describe(error)
        except NOT_SENT as error:
            kind, words = XinferenceFailed, self.describe(error)
        except Exception as error:  # noqa: BLE001  also of TLS and of a head that cannot be read
            kind, words = XinferenceDropped, self.describe(error)
        raise kind(words)

    def describe(self, error: Exception) -> str:
        return self.without_key(reason_of_failure(error, self.base_url, answered=self._answered))

    def without_key(self, text: str) -> str:
        """`text` without our key, also where a library quotes the header that it refused."""
        if not self._api_key:
            return text
        return BEARER.sub("Bearer …", text.replace(self._api_key, "…"))

    async def aclose(self) -> None:
        await self._calls.aclose()
        await self._polls.aclose()
