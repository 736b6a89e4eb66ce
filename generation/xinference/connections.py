"""Sends requests to the model server and translates failures to the errors of this package."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import httpx

from accounts.log_context import correlation_id
from generation.bounded_http import LimitedTransport, NullCookieJar, limited_head
from generation.exceptions import (
    StudioError,
    XinferenceDropped,
    XinferenceError,
    XinferenceFailed,
    XinferenceGone,
    XinferenceUnreachable,
)
from generation.xinference.operator_messages import SettingNames, causes_of, reason_of_failure
from generation.xinference.response_body import read_response
from generation.xinference.responses import ServerResponse


class ErrorCounter(Protocol):
    errors: int


C = TypeVar("C", bound=ErrorCounter)
P = ParamSpec("P")
T = TypeVar("T")

CONNECT_TIMEOUT = 5.0
WRITE_TIMEOUT = 30.0

MAX_CONCURRENT_POLLS = 4
"""Connections for polls, in a pool of their own: a pool checks all its connections for every
request, and calls may hold many."""

KEEP_ALIVE = 3.0
"""Seconds an idle connection is kept; less than the 5 s after which the server closes it."""

BEARER = re.compile(r"Bearer [^'\"]+")

NOT_SENT = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)
NOT_ANSWERED = (httpx.ConnectError, httpx.ProxyError, httpx.TimeoutException)


def translate_errors(
    call: Callable[Concatenate[C, P], Awaitable[T]],
) -> Callable[Concatenate[C, P], Coroutine[Any, Any, T]]:
    """Decorate a request so that it raises only StudioError, without earlier frames.

    Any other exception is a failure of the server, because no list of what libraries raise is
    complete. A traceback would keep its frames with the response; callers keep errors in tasks, so
    that the two form a reference cycle. These processes collect cycles rarely: 40 responses of
    20 MB took 1.5 GiB. So the traceback begins here.
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


class HttpConnections:
    """A pool for calls, which may be many and long, and a small one for polls."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        transport: httpx.AsyncBaseTransport | None,
        tls: ssl.SSLContext | None,
        proxy: str,
        names: SettingNames,
    ) -> None:
        self._api_key = api_key
        self.base_url = base_url
        self.names = names
        self._proxy = proxy
        self._answered = False
        headers = {b"Accept-Encoding": b"identity"}
        if api_key:
            headers[b"Authorization"] = b"Bearer " + api_key.encode()

        def pool(most: int | None) -> httpx.AsyncClient:
            return httpx.AsyncClient(
                base_url=base_url,
                headers=headers,
                cookies=NullCookieJar(),
                # no read timeout, because images may take long: the stall limit ends silent calls
                timeout=httpx.Timeout(
                    connect=CONNECT_TIMEOUT, read=None, write=WRITE_TIMEOUT, pool=None
                ),
                transport=transport
                or LimitedTransport(tls=tls, most=most, keep_alive=KEEP_ALIVE, proxy=proxy),
                # proxies and ~/.netrc of the environment are not meant for the model server
                trust_env=False,
            )

        self._calls = pool(None)
        self._polls = pool(MAX_CONCURRENT_POLLS)

    async def send(
        self, method: str, path: str, body: dict[str, Any] | None, *, limit: int, poll: bool = False
    ) -> ServerResponse:
        """The response, of at most `limit` bytes if its status is 200.

        Raises XinferenceUnreachable if the server cannot be reached or does not respond in time,
        XinferenceFailed if the request cannot be sent or the response cannot be used, and
        XinferenceDropped if the connection broke, so that the fate of the request is unknown.
        """
        kind: type[XinferenceError]
        pool = self._polls if poll else self._calls
        try:
            content = None if body is None else json.dumps(body).encode()
            headers = {} if body is None else {"Content-Type": "application/json"}
            if correlation_id():
                headers["X-Request-ID"] = correlation_id()
            request = pool.build_request(method, path, content=content, headers=headers)
            with limited_head():
                response = await pool.send(request, stream=True)
            self._answered = True
            try:
                return await read_response(response, limit)
            finally:
                await response.aclose()
                # httpx keeps a cycle of response, stream and connection with its buffers:
                # 190 KiB for a response that was not read to its end
                response.stream = httpx.ByteStream(b"")
        except XinferenceError:
            raise
        except NOT_ANSWERED as error:
            kind = XinferenceGone if self.is_refused(error) else XinferenceUnreachable
            words = self.describe(error)
        except NOT_SENT as error:
            kind, words = XinferenceFailed, self.describe(error)
        except Exception as error:  # noqa: BLE001  also of TLS and of a head that cannot be read
            kind, words = XinferenceDropped, self.describe(error)
        raise kind(words)

    def is_refused(self, error: Exception) -> bool:
        """Whether the server's host refused the connection; through a proxy that is not known."""
        causes = causes_of(error)
        return not self._proxy and any(isinstance(each, ConnectionRefusedError) for each in causes)

    def describe(self, error: Exception) -> str:
        return self.without_key(
            reason_of_failure(
                error,
                self.base_url,
                answered=self._answered,
                names=self.names,
                proxy=self._proxy,
            )
        )

    def without_key(self, text: str) -> str:
        """`text` without the key, which a library may quote from a refused header."""
        if not self._api_key:
            return text
        return BEARER.sub("Bearer …", text.replace(self._api_key, "…"))

    async def aclose(self) -> None:
        await self._calls.aclose()
        await self._polls.aclose()
