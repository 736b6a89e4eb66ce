"""The calls: models, draw, progress, abort."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any
from urllib.parse import quote

import httpx

from generation.choices import Route
from generation.exceptions import (
    XinferenceDropped,
    XinferenceError,
    XinferenceFailed,
    XinferenceKeyRefused,
    XinferenceUnreachable,
)
from generation.xinference import served
from generation.xinference.answers import Answer, error_of, fraction_of, picture_of
from generation.xinference.orders import DrawRequest, generations_body, txt2img_body
from generation.xinference.served import ServedModel

logger = logging.getLogger(__name__)

POLL_FIRST = 0.15
"""Seconds between polls at first: of 12 steps of 0.2 s it misses none, and `decoding` is seen."""

POLL_LATER = 0.5
"""Seconds between polls of a call older than a minute: its steps are seconds long."""

POLL_FIRST_FOR = 60.0

MOST_POLLS = 40
"""A second, for all calls of this process: each takes the server 5 to 15 ms."""

CONNECT_LIMIT = 5.0
SEND_LIMIT = 30.0

ANSWER_LIMIT = 10.0
"""Seconds for every call but `draw`: they take 5-65 ms; a server that shuts down hangs them."""

POLLS_AT_ONCE = 4
"""Connections for polls: a request looks at every open one, and those of calls may be many."""

KEEP_ALIVE = 3.0
"""Seconds an idle connection is kept; the server closes it after 5, and the same 5 is a race."""

LARGEST_ANSWER = 96 * 1024 * 1024
"""Bytes read of one answer; a lossless 2048² picture in base64 needs a quarter of it."""

LOST = (httpx.NetworkError, httpx.RemoteProtocolError)
NOBODY = (httpx.ConnectError, httpx.TimeoutException)


class XinferenceClient:
    """Speaks to one model server; every call raises XinferenceError, `draw` also PictureError.

    `transport` replaces the network (an ASGI app in this process). Such transports ignore
    httpx's time limits, so every call but `draw` also has one of its own.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._api_key = api_key
        self._routes: dict[str, Route] = {}
        self.watched = 0
        """Calls whose progress is followed now."""

        def connections(most: int | None) -> httpx.AsyncClient:
            return httpx.AsyncClient(
                base_url=base_url,
                headers={"Accept-Encoding": "identity"}
                | ({"Authorization": f"Bearer {api_key}"} if api_key else {}),
                # a picture takes as long as it takes: the caller's stall limit ends a silent call
                timeout=httpx.Timeout(
                    connect=CONNECT_LIMIT, read=None, write=SEND_LIMIT, pool=None
                ),
                limits=httpx.Limits(max_connections=most, keepalive_expiry=KEEP_ALIVE),
                transport=transport,
                # neither a proxy for the world outside nor ~/.netrc is meant for the model server
                trust_env=False,
            )

        self._http = connections(None)
        self._polls = connections(POLLS_AT_ONCE)

    async def image_models(self) -> list[ServedModel]:
        """Every text-to-image model that is served or being started, by name."""
        # one after the other: a refused key is told by the first, and each try counts
        models = await self._get("/v1/models")
        instances = await self._get("/v1/models/instances")
        described = {str(each.get("id")): each for each in served.records_of(models.json())}
        drawing = {
            served.name_of(each): each
            for each in served.records_of(instances.json())
            if served.draws(each)
        }
        return list(
            await asyncio.gather(
                *(self._served(drawing[name], described.get(name)) for name in sorted(drawing))
            )
        )

    async def _served(
        self, instance: dict[str, Any], description: dict[str, Any] | None
    ) -> ServedModel:
        name, identity = served.name_of(instance), ""
        ready = served.is_ready(instance)
        if ready and description is None:
            # /v1/models is cached for 3 s and leaves out a model that has just come back
            description = await self._described(name)
            ready = description is not None
        if ready and description is not None:
            replicas = await self._get(f"/v1/models/{quote(name, safe='')}/replicas")
            identity = served.identity_of(description, served.records_of(replicas.json()))
            self._routes[name] = served.route_of(description)
        count = served.ready_replicas if ready else served.launched_replicas
        return ServedModel(
            name=name,
            # of a model that is not ready the engine is not told; this route harms no engine
            route=self._routes.get(name, Route.GENERATIONS),
            ready=ready,
            loading=not ready and served.is_loading(instance),
            replicas=count(instance),
            identity=identity,
        )

    async def _described(self, name: str) -> dict[str, Any] | None:
        """What the server says of one model; None if it is gone since it was listed."""
        answer = await self._ask("GET", f"/v1/models/{quote(name, safe='')}")
        if answer.status in (400, 404):
            return None
        if answer.status != 200:
            raise self._error(answer)
        return served.record_of(answer.json())

    async def draw(self, *, model: str, route: Route, request: DrawRequest) -> str:
        """The picture as base64 text; may be silent for as long as the model draws.

        Raises PictureError if the answer holds no picture. Cancelling this does not stop the
        model: see `abort`.
        """
        if route == Route.TXT2IMG:
            path, body = "/sdapi/v1/txt2img", txt2img_body(model, request)
        else:
            path, body = "/v1/images/generations", generations_body(model, request)
        try:
            answer = await self._send("POST", path, body)
        except LOST as error:
            raise self._tell(XinferenceDropped, error) from error
        if answer.status != 200:
            raise self._error(answer)
        return picture_of(answer, route)

    async def progress(self, request_id: str) -> float | None:
        """Fraction done in 0..1, or None if the server does not know the request (yet, or any
        more). 1.0 is no success: it also follows an error and precedes the decoding."""
        path = f"/v1/requests/{quote(request_id, safe='')}/progress"
        answer = await self._ask("GET", path, http=self._polls)
        if answer.status == 400:
            return None
        if answer.status != 200:
            raise self._error(answer)
        return fraction_of(answer)

    async def watch(self, request_id: str) -> AsyncIterator[float]:
        """Each fraction larger than all before it (the first may be 0.0), until closed.

        A poll that fails is left out. Ends by itself only if the server refuses the key: each
        further poll would bring the ban of our address nearer.
        """
        self.watched += 1
        try:
            began, best = monotonic(), -1.0
            while True:
                young = monotonic() - began < POLL_FIRST_FOR
                await asyncio.sleep(
                    max(POLL_FIRST if young else POLL_LATER, self.watched / MOST_POLLS)
                )
                fraction = await self._poll(request_id)
                if fraction is not None and fraction > best:
                    best = fraction
                    yield fraction
        except XinferenceKeyRefused as error:
            logger.warning("no longer watching %s: %s", request_id, error)
        finally:
            self.watched -= 1

    async def _poll(self, request_id: str) -> float | None:
        """`progress`, or None if it cannot be known now; raises XinferenceKeyRefused."""
        try:
            return await self.progress(request_id)
        except XinferenceKeyRefused:
            raise
        except XinferenceError as error:
            logger.info("a poll of %s failed: %s", request_id, error)
            return None

    async def abort(self, *, model: str, request_id: str) -> bool:
        """Ask to stop a call: True if it was running or in line there, False if unknown or over.

        An id unknown at that moment is refused for 30 s. Never abort a running call on
        Route.GENERATIONS: its work goes on unseen and breaks the next call.
        """
        path = f"/v1/models/{quote(model, safe='')}/requests/{quote(request_id, safe='')}/abort"
        answer = await self._ask("POST", path, {})
        if answer.status != 200:
            raise self._error(answer)
        parsed = answer.json()
        return isinstance(parsed, dict) and parsed.get("msg") == "DONE"

    async def aclose(self) -> None:
        await self._http.aclose()
        await self._polls.aclose()

    async def _get(self, path: str) -> Answer:
        answer = await self._ask("GET", path)
        if answer.status != 200:
            raise self._error(answer)
        return answer

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        http: httpx.AsyncClient | None = None,
    ) -> Answer:
        """A short call, within ANSWER_LIMIT; a GET on a connection gone stale is sent again."""
        try:
            async with asyncio.timeout(ANSWER_LIMIT):
                try:
                    return await self._send(method, path, body, http=http)
                except LOST:
                    if method != "GET":
                        raise
                    return await self._send(method, path, body, http=http)
        except TimeoutError as error:
            raise XinferenceUnreachable(f"no answer in {ANSWER_LIMIT:.0f} s") from error
        except LOST as error:
            raise self._tell(XinferenceUnreachable, error) from error

    async def _send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        *,
        http: httpx.AsyncClient | None = None,
    ) -> Answer:
        """The whole answer; raises one of LOST, or the error of our tree."""
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            async with (http or self._http).stream(
                method, path, content=content, headers=headers
            ) as response:
                return Answer(
                    status=response.status_code,
                    headers=response.headers,
                    body=await read_whole(response),
                )
        except NOBODY as error:
            raise self._tell(XinferenceUnreachable, error) from error
        except LOST:
            raise
        except httpx.RequestError as error:
            raise self._tell(XinferenceFailed, error) from error

    def _error(self, answer: Answer) -> XinferenceError:
        error = error_of(answer)
        error.detail = self._without_key(error.detail)
        return error

    def _tell(self, kind: type[XinferenceError], error: Exception) -> XinferenceError:
        return kind(self._without_key(f"{type(error).__name__}: {error}"))

    def _without_key(self, text: str) -> str:
        return text.replace(self._api_key, "…") if self._api_key else text


async def read_whole(response: httpx.Response) -> bytes:
    """The body; raises XinferenceFailed beyond LARGEST_ANSWER: our memory is not theirs to fill."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise XinferenceFailed(f"an answer of more than {LARGEST_ANSWER} bytes")
    return bytes(body)
