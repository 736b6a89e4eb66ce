"""The calls: models, draw, progress, abort."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any
from urllib.parse import quote

import httpx

from generation.choices import Route
from generation.exceptions import (
    PictureError,
    XinferenceDropped,
    XinferenceError,
    XinferenceKeyRefused,
    XinferenceUnreachable,
    XinferenceUnreadable,
)
from generation.log_lines import Outage
from generation.xinference import model_list
from generation.xinference.connections import (
    MAX_CONCURRENT_POLLS,
    HttpConnections,
    translate_errors,
)
from generation.xinference.key_check import KeyCheck
from generation.xinference.model_list import ListedModel, ServedModel
from generation.xinference.payloads import DrawRequest, generations_body, txt2img_body
from generation.xinference.picture_text import picture_text
from generation.xinference.response_body import MAX_LIST_BODY, MAX_SHORT_BODY, max_picture_body
from generation.xinference.responses import (
    ServerResponse,
    error_of,
    fraction_of,
    no_picture,
    was_stopped,
)

logger = logging.getLogger(__name__)

POLL_FIRST = 0.15
"""Seconds between polls at first: of 12 steps of 0.2 s it misses none, and `decoding` is seen."""

POLL_LATER = 0.5
"""Seconds between polls of a call older than a minute: its steps are seconds long."""

POLL_FIRST_FOR = 60.0

MAX_POLLS = 40
"""A second, for all calls of this process: each takes the server 5 to 15 ms."""

ANSWER_LIMIT = 10.0
"""Seconds for every call but `draw`: they take 5-65 ms; a server that shuts down hangs them."""

MODEL_LIMIT = 5.0
"""Seconds for all that is asked of one model: the others are recorded together with it."""


KEY_RESTS = 2.0
"""Seconds without a poll after one whose key was refused: meanwhile the other watchers end."""


class XinferenceClient:
    """Speaks to one model server; every call raises XinferenceError, `draw` also PictureError.

    Nothing else comes out of a call, whatever the server answers. `transport` replaces the network
    (an ASGI app in this process). Such transports ignore httpx's time limits, so every call but
    `draw` also has one of its own. `tls` says whose certificates are believed; by default those
    of httpx.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._connections = HttpConnections(
            base_url=base_url, api_key=api_key, transport=transport, tls=tls
        )
        self._key = KeyCheck(self._instances)
        self._routes: dict[str, Route] = {}
        self._polling = asyncio.Semaphore(MAX_CONCURRENT_POLLS)
        self._key_rests_until = 0.0
        self.watched = 0
        """Calls whose progress is followed now."""
        self.errors = 0
        """Calls that ended in an error, so far."""

    @translate_errors
    async def image_model(self, name: str) -> ServedModel | None:
        """One model, read without the list of all cards; None if it is not listed.

        A model whose own responses cannot be used is not ready and says why. Raises what concerns
        the whole server: a list that cannot be read, and a refused key.
        """
        instances = model_list.drawing(await self._instances(), first=name)
        if name not in instances:
            return None
        listed = ListedModel(name=name, instance=instances[name], card=None)
        try:
            return await self.served(listed)
        except XinferenceError as error:
            return self.unusable(listed, error)

    @translate_errors
    async def listed(self, first: str = "") -> list[ListedModel]:
        """The text-to-image models that the server's lists name; `first` is never one too many."""
        # one after the other: a refused key is told by the first, and each try counts
        models = model_list.records_of((await self._get("/v1/models", MAX_LIST_BODY)).json())
        cards = {model_list.name_of(each.get("id")): each for each in models}
        instances = model_list.drawing(await self._instances(), first=first)
        return [
            ListedModel(name=name, instance=instance, card=cards.get(name))
            for name, instance in instances.items()
        ]

    @translate_errors
    async def _instances(self) -> list[dict[str, Any]]:
        return model_list.records_of(
            (await self._get("/v1/models/instances", MAX_LIST_BODY)).json()
        )

    @translate_errors
    async def served(self, listed: ListedModel) -> ServedModel:
        """What the server tells of a listed model; asks it only if it is ready.

        That the lists named it says that the key is good: a 401 concerns this model alone.
        """
        try:
            async with asyncio.timeout(MODEL_LIMIT):
                return await self._key.call(
                    f"model {listed.name}", partial(self._served, listed), lists_took_it=True
                )
        except TimeoutError as error:
            raise XinferenceUnreachable(self._connections.describe(error)) from error

    async def _served(self, listed: ListedModel) -> ServedModel:
        name, identity = listed.name, ""
        ready, card = listed.ready, listed.card
        if ready and card is None:
            # /v1/models is cached for 3 s and leaves out a model that has just come back
            card = await self._described(name)
            ready = card is not None
        if ready and card is not None:
            replicas = await self._get(f"/v1/models/{quote(name, safe='')}/replicas")
            identity = model_list.identity_of(card, model_list.records_of(replicas.json()))
            self._routes[name] = model_list.route_of(card)
        return self._model(listed, ready=ready, identity=identity)

    def _model(self, listed: ListedModel, *, ready: bool, identity: str = "") -> ServedModel:
        count = model_list.ready_replicas if ready else model_list.launched_replicas
        return ServedModel(
            name=listed.name,
            # of a model that is not ready the engine is not told; this route harms no engine
            route=self._routes.get(listed.name, Route.GENERATIONS),
            ready=ready,
            loading=not ready and model_list.is_loading(listed.instance),
            replicas=count(listed.instance),
            identity=identity,
        )

    def unusable(self, listed: ListedModel, error: XinferenceError) -> ServedModel:
        """A model that is listed as ready and whose own answers cannot be used."""
        model = self._model(listed, ready=False)
        return replace(model, error_code=error.code, error_detail=error.detail)

    async def _described(self, name: str) -> dict[str, Any] | None:
        """What the server says of one model; None if it is gone since it was listed."""
        response = await self._ask("GET", f"/v1/models/{quote(name, safe='')}")
        if response.status in (400, 404):
            return None
        return model_list.record_of(self._good(response).json())

    @translate_errors
    async def draw(self, *, model: str, route: Route, request: DrawRequest) -> str:
        """The picture as base64 text; may be silent for as long as the model draws.

        Raises PictureError if the answer holds no picture. Cancelling this does not stop the
        model: see `abort`.
        """
        return await self._key.call(f"draw {model}", partial(self._draw, model, route, request))

    async def _draw(self, model: str, route: Route, request: DrawRequest) -> str:
        if route == Route.TXT2IMG:
            path, body = "/sdapi/v1/txt2img", txt2img_body(model, request)
        else:
            path, body = "/v1/images/generations", generations_body(model, request)
        limit = max_picture_body(request.width, request.height)
        # validators quote what they refuse: no prompt may get into the log
        prompts = (request.prompt, request.negative_prompt)
        try:
            sent = await self._connections.send("POST", path, body, limit=limit)
        except XinferenceUnreadable as error:
            # the model did its work: to draw the same again would bring the same
            raise PictureError(detail=error.detail) from error
        response = self._good(sent, prompts)
        # up to 23 MB, which are copied
        text = await asyncio.to_thread(picture_text, response.body, route)
        if text is None:
            why = no_picture(response, prompts)
            why.detail = self._connections.without_key(why.detail)
            raise why
        return text

    @translate_errors
    async def progress(self, request_id: str) -> float | None:
        """Fraction done in 0..1, or None if the server does not know the request (yet, or any
        more). 1.0 is no success: it also follows an error and precedes the decoding."""
        return await self._key.call("progress", partial(self._progress, request_id))

    async def _progress(self, request_id: str) -> float | None:
        path = f"/v1/requests/{quote(request_id, safe='')}/progress"
        response = await self._ask("GET", path, poll=True)
        return None if response.status == 400 else fraction_of(self._good(response))

    async def watch(self, request_id: str) -> AsyncIterator[float]:
        """Each fraction larger than all before it (the first may be 0.0), until closed.

        A poll that fails is left out. Ends by itself only if the server refuses the key: each
        further poll would bring the ban of our address nearer.
        """
        self.watched += 1
        outage = Outage(logger, "progress", request=request_id)
        try:
            began, best = monotonic(), -1.0
            while True:
                young = monotonic() - began < POLL_FIRST_FOR
                await asyncio.sleep(
                    max(POLL_FIRST if young else POLL_LATER, self.watched / MAX_POLLS)
                )
                fraction = await self._poll(request_id, outage)
                if fraction is not None and fraction > best:
                    best = fraction
                    yield fraction
        except XinferenceKeyRefused as error:
            outage.failed(error)
        finally:
            self.watched -= 1

    async def _poll(self, request_id: str, outage: Outage) -> float | None:
        """`progress`, or None if it cannot be known now; raises XinferenceKeyRefused.

        A refusal counts for the polls that wait behind it too: ten of them would bring the ban.
        """
        try:
            async with self._polling:
                if monotonic() < self._key_rests_until:
                    raise XinferenceKeyRefused("it was refused to another poll")
                fraction = await self._poll_now(request_id)
        except XinferenceKeyRefused:
            raise
        except XinferenceError as error:
            outage.failed(error)
            return None
        outage.worked()
        return fraction

    async def _poll_now(self, request_id: str) -> float | None:
        try:
            return await self.progress(request_id)
        except XinferenceKeyRefused:
            self._key_rests_until = monotonic() + KEY_RESTS
            raise

    @translate_errors
    async def abort(self, *, model: str, request_id: str) -> bool:
        """Ask to stop a call: True if it was running or in line there, False if unknown or over.

        An id unknown at that moment is refused for 30 s. Never abort a running call on
        Route.GENERATIONS: its work goes on unseen and breaks the next call.
        """
        return await self._key.call(f"abort {model}", partial(self._abort, model, request_id))

    async def _abort(self, model: str, request_id: str) -> bool:
        path = f"/v1/models/{quote(model, safe='')}/requests/{quote(request_id, safe='')}/abort"
        return was_stopped(self._good(await self._ask("POST", path, {})))

    async def aclose(self) -> None:
        await self._connections.aclose()

    async def _get(self, path: str, limit: int = MAX_SHORT_BODY) -> ServerResponse:
        return self._good(await self._ask("GET", path, limit=limit))

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        limit: int = MAX_SHORT_BODY,
        poll: bool = False,
    ) -> ServerResponse:
        """A short call, within ANSWER_LIMIT; a GET on a connection gone stale is sent again."""
        try:
            async with asyncio.timeout(ANSWER_LIMIT):
                try:
                    return await self._connections.send(method, path, body, limit=limit, poll=poll)
                except XinferenceDropped:
                    if method != "GET":
                        raise
                    return await self._connections.send(method, path, body, limit=limit, poll=poll)
        except TimeoutError as error:
            raise XinferenceUnreachable(self._connections.describe(error)) from error
        except XinferenceDropped as error:
            raise XinferenceUnreachable(error.detail) from error

    def _good(self, response: ServerResponse, prompts: Iterable[str] = ()) -> ServerResponse:
        """The answer, if it is a 200; raises the error that it means."""
        if response.status == 200:
            return response
        error = error_of(response, base_url=self._connections.base_url, prompts=prompts)
        error.detail = self._connections.without_key(error.detail)
        raise error
