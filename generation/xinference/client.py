"""The requests to the model server: models, draw, progress, abort."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx

from generation.choices import Route
from generation.exceptions import (
    PictureError,
    XinferenceDropped,
    XinferenceError,
    XinferenceFailed,
    XinferenceUnreachable,
    XinferenceUnreadable,
)
from generation.xinference import model_list
from generation.xinference.base64_image import base64_image
from generation.xinference.connections import HttpConnections, translate_errors
from generation.xinference.key_check import KeyCheck
from generation.xinference.model_list import ListedModel, ServedModel
from generation.xinference.operator_messages import VARIABLES, SettingNames
from generation.xinference.payloads import DrawRequest, generations_body, txt2img_body
from generation.xinference.progress_poller import ProgressPoller
from generation.xinference.queue_lengths import queue_lengths
from generation.xinference.response_body import MAX_LIST_BODY, MAX_SHORT_BODY, max_picture_body
from generation.xinference.responses import (
    ServerResponse,
    abort_result,
    error_of,
    missing_picture_error,
    progress_of,
)
from generation.xinference.server_memory import ServerMemory, server_memory

REQUEST_TIMEOUT = 10.0
"""Seconds for every request but `draw`: they take 5-65 ms, but hang while a server shuts down."""

MODEL_TIMEOUT = 5.0
"""Seconds for all requests about one model, because the other models wait for it."""


QUEUE_TIMEOUT = 2.0
"""Seconds for the metrics of the queue, because what was seen of the models waits for them."""


class XinferenceClient:
    """A client of one model server.

    Every method raises XinferenceError and nothing else, whatever the server responds; `draw` also
    raises PictureError. `transport` replaces the network, for an ASGI application in this process.
    Such transports ignore httpx's timeouts, so every request but `draw` has its own. `tls` has the
    trusted certificates, by default those of httpx, and our own, if any. `proxy` is the URL of an
    HTTP proxy in front of the server. `metrics_url` is where its worker publishes its queue; the
    key is not sent there.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        tls: ssl.SSLContext | None = None,
        proxy: str = "",
        metrics_url: str = "",
        names: SettingNames = VARIABLES,
    ) -> None:
        shared: dict[str, Any] = {"transport": transport, "tls": tls, "proxy": proxy}
        self._connections = HttpConnections(
            base_url=base_url, api_key=api_key, names=names, **shared
        )
        self.knows_queue = bool(metrics_url)
        self._metrics: HttpConnections | None = None
        if metrics_url:
            names = replace(names, url="the address of its metrics")
            self._metrics = HttpConnections(base_url=metrics_url, api_key="", names=names, **shared)
        self._key = KeyCheck(self._instances)
        self._routes: dict[str, Route] = {}
        self.poller = ProgressPoller(self.progress)
        self.errors = 0
        """Requests that have failed so far."""

    @translate_errors
    async def image_model(self, name: str) -> ServedModel | None:
        """One model, read without the list of all cards; None if it is not listed.

        A model whose own responses cannot be used is not ready and says why. Raises what concerns
        the whole server: a list that cannot be read, and a refused key.
        """
        instances = model_list.image_models(await self._instances(), first=name)
        if name not in instances:
            return None
        listed = ListedModel(name=name, instance=instances[name], card=None)
        try:
            return await self.served(listed)
        except XinferenceError as error:
            return self.unusable(listed, error)

    @translate_errors
    async def listed(self, first: str = "") -> list[ListedModel]:
        """Up to MAX_LISTED_MODELS text-to-image models of the server, `first` always."""
        # one after the other, because every request with a refused key counts
        models = model_list.records_of((await self._get("/v1/models", MAX_LIST_BODY)).json())
        cards = {model_list.name_of(each.get("id")): each for each in models}
        instances = model_list.image_models(await self._instances(), first=first)
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
        """The state of a listed model; sends requests only if it is listed as ready.

        The server accepted the key for its lists, so a 401 concerns this model alone.
        """
        try:
            async with asyncio.timeout(MODEL_TIMEOUT):
                return await self._key.call(
                    f"model {listed.name}", partial(self._served, listed), key_accepted=True
                )
        except TimeoutError as error:
            raise XinferenceUnreachable(self._connections.describe(error)) from error

    async def _served(self, listed: ListedModel) -> ServedModel:
        name, identity = listed.name, ""
        ready, card = listed.ready, listed.card
        if ready and card is None:
            # /v1/models is cached for 3 s and lacks a model that was just started
            card = await self._description(name)
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
            # the engine of a model that is not ready is unknown; this route suits every engine
            route=self._routes.get(listed.name, Route.GENERATIONS),
            ready=ready,
            loading=not ready and model_list.is_loading(listed.instance),
            replicas=count(listed.instance),
            identity=identity,
        )

    def unusable(self, listed: ListedModel, error: XinferenceError) -> ServedModel:
        """The state of a model that is listed as ready but whose own responses cannot be used."""
        model = self._model(listed, ready=False)
        return replace(model, error_code=error.code, error_detail=error.detail)

    async def _description(self, name: str) -> dict[str, Any] | None:
        """The server's description of one model; None if it is no longer served."""
        response = await self._request("GET", f"/v1/models/{quote(name, safe='')}")
        if response.status in (400, 404):
            return None
        return model_list.record_of(self._checked(response).json())

    @translate_errors
    async def draw(self, *, model: str, route: Route, request: DrawRequest) -> str:
        """The image as base64 text; takes as long as the model draws.

        Raises PictureError if the response has no image. Cancelling this does not stop the model;
        `abort` does.
        """
        return await self._key.call(f"draw {model}", partial(self._draw, model, route, request))

    async def _draw(self, model: str, route: Route, request: DrawRequest) -> str:
        if route == Route.TXT2IMG:
            path, body = "/sdapi/v1/txt2img", txt2img_body(model, request)
        else:
            path, body = "/v1/images/generations", generations_body(model, request)
        limit = max_picture_body(request.width, request.height)
        # the errors of validators quote the prompt, which must not be logged
        prompts = (request.prompt, request.negative_prompt)
        try:
            sent = await self._connections.send("POST", path, body, limit=limit)
        except XinferenceUnreadable as error:
            # the model has drawn the image: a second call would return the same
            raise PictureError(detail=error.detail) from error
        response = self._checked(sent, prompts)
        # in a thread, because it copies up to 23 MB
        text = await asyncio.to_thread(base64_image, response.body, route)
        if text is None:
            why = missing_picture_error(response, prompts)
            why.detail = self._connections.without_key(why.detail)
            raise why
        return text

    @translate_errors
    async def progress(self, request_id: str) -> float | None:
        """The fraction done in 0..1, or None if the server does not know the request.

        1.0 is not success: it also follows an error, and decoding comes after it.
        """
        return await self._key.call("progress", partial(self._progress, request_id))

    async def _progress(self, request_id: str) -> float | None:
        path = f"/v1/requests/{quote(request_id, safe='')}/progress"
        response = await self._request("GET", path, poll=True)
        return None if response.status == 400 else progress_of(self._checked(response))

    def watch(self, request_id: str) -> AsyncIterator[float]:
        """See `ProgressPoller.watch`."""
        return self.poller.watch(request_id)

    @translate_errors
    async def abort(self, *, model: str, request_id: str) -> bool:
        """Abort a call: True if it was running or queued there, False if it is unknown or over.

        The server then refuses an unknown id for 30 s. Never abort a running call on
        Route.GENERATIONS: the model goes on drawing, and the next call fails.
        """
        return await self._key.call(f"abort {model}", partial(self._abort, model, request_id))

    async def _abort(self, model: str, request_id: str) -> bool:
        path = f"/v1/models/{quote(model, safe='')}/requests/{quote(request_id, safe='')}/abort"
        return abort_result(self._checked(await self._request("POST", path, {})))

    @translate_errors
    async def memory(self) -> ServerMemory:
        """The memory of the server; nothing is known of one that does not publish it."""
        response = await self._request("GET", "/metrics", limit=MAX_LIST_BODY)
        if response.status != 200:
            return ServerMemory()
        text = bytes(response.body).decode(errors="replace")
        return await asyncio.to_thread(server_memory, text)

    @translate_errors
    async def queue_lengths(self) -> dict[str, int]:
        """Model → calls that run or wait there, of all clients; nothing without `metrics_url`."""
        if self._metrics is None:
            return {}
        try:
            async with asyncio.timeout(QUEUE_TIMEOUT):
                response = await self._request(
                    "GET", "/metrics", limit=MAX_LIST_BODY, to=self._metrics
                )
        except TimeoutError:
            raise XinferenceUnreachable(f"no metrics within {QUEUE_TIMEOUT:.0f} s") from None
        if response.status != 200:
            raise XinferenceFailed(f"the metrics answered {response.status}")
        text = bytes(response.body).decode(errors="replace")
        try:
            return await asyncio.to_thread(queue_lengths, text)
        except ValueError:
            raise XinferenceFailed("the metrics are not in the format of Prometheus") from None

    async def aclose(self) -> None:
        await self._connections.aclose()
        if self._metrics is not None:
            await self._metrics.aclose()

    async def _get(self, path: str, limit: int = MAX_SHORT_BODY) -> ServerResponse:
        return self._checked(await self._request("GET", path, limit=limit))

    async def _request(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        limit: int = MAX_SHORT_BODY,
        poll: bool = False,
        to: HttpConnections | None = None,
    ) -> ServerResponse:
        """Send a short request within REQUEST_TIMEOUT; repeat a GET whose connection was stale."""
        connections = to or self._connections
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                try:
                    return await connections.send(method, path, body, limit=limit, poll=poll)
                except XinferenceDropped:
                    if method != "GET":
                        raise
                    return await connections.send(method, path, body, limit=limit, poll=poll)
        except TimeoutError as error:
            raise XinferenceUnreachable(connections.describe(error)) from error
        except XinferenceDropped as error:
            raise XinferenceUnreachable(error.detail) from error

    def _checked(self, response: ServerResponse, prompts: Iterable[str] = ()) -> ServerResponse:
        """The response if its status is 200; otherwise raises its error."""
        if response.status == 200:
            return response
        error = error_of(
            response,
            base_url=self._connections.base_url,
            prompts=prompts,
            names=self._connections.names,
        )
        error.detail = self._connections.without_key(error.detail)
        raise error
