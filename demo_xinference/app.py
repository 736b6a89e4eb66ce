"""The ASGI application and its URLs."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import unquote

from demo_xinference import http, requests
from demo_xinference.api_keys import KeyCheck
from demo_xinference.call_log import CallLog
from demo_xinference.errors import ConnectionDropped, Refusal
from demo_xinference.faults import Fault, parse_all, unusable_images
from demo_xinference.http import Reply, Request, as_json
from demo_xinference.model import DIFFUSERS, Model
from demo_xinference.nonsense import KINDS, Nonsense
from demo_xinference.replica import outcome
from demo_xinference.requests import ImageRequest

SUPERVISOR = "[address=127.0.0.1:50804, pid=0]"
UNKNOWN_FOR = 10.0
"""Seconds for which the server remembers that a model is unknown."""

BLOCK = 30.0
UNUSABLE_IMAGES = ("empty", "not_base64", "not_image", "truncated", "bomb", "scans", "tail")

Handler = Callable[..., Awaitable[Reply]]


class DemoXinference:
    """The application; `aclose` ends its painting processes."""

    def __init__(
        self,
        *,
        model: str,
        engine: str,
        replicas: int,
        speed: float,
        api_key: str,
        request_limits: int | None,
        faults: list[Fault],
        journal: Path | None,
    ) -> None:
        self.model = Model(
            model,
            engine=engine,
            replicas=replicas,
            speed=speed,
            request_limits=request_limits,
            call_log=CallLog(journal),
        )
        self.faults = faults
        self.key_check = KeyCheck(api_key)
        self._calls = 0
        self._unknown: dict[str, float] = {}
        for fault in faults:
            if fault.at_start:
                self.model.load_for(fault.seconds)
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            ("GET", re.compile(r"/v1/cluster/auth"), self.auth),
            ("GET", re.compile(r"/metrics"), self.metrics),
            ("GET", re.compile(r"/v1/models"), self.models),
            ("GET", re.compile(r"/v1/models/instances"), self.instances),
            ("GET", re.compile(r"/v1/models/([^/]+)/replicas"), self.replicas),
            ("GET", re.compile(r"/v1/models/([^/]+)"), self.describe),
            ("GET", re.compile(r"/v1/requests/([^/]+)/progress"), self.progress),
            ("POST", re.compile(r"/v1/models/([^/]+)/requests/([^/]+)/abort"), self.abort),
            ("POST", re.compile(r"/sdapi/v1/txt2img"), self.txt2img),
            ("POST", re.compile(r"/v1/images/generations"), self.generations),
        ]

    async def __call__(self, scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"no {scope['type']} here")
        request = await http.read(scope, receive)
        if request is None:
            return
        try:
            reply = await self._respond(request)
        except Refusal as error:
            reply = http.of_refusal(error)
        except Nonsense as error:
            reply = error.reply
        except ConnectionDropped:
            if http.DROP not in scope.get("extensions", {}):
                raise
            await send({"type": http.DROP})
            return
        await http.send_reply(send, request, reply)

    async def _lifespan(self, receive: http.Receive, send: http.Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def aclose(self) -> None:
        await self.model.aclose()

    async def _respond(self, request: Request) -> Reply:
        allowed = []
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match is None:
                continue
            if method == request.method:
                if handler not in (self.auth, self.metrics):
                    self.key_check.check(request)
                return await handler(request, *map(unquote, match.groups()))
            allowed.append(method)
        if not allowed:
            return http.no_such_page()
        if request.method == "GET":
            raise Refusal(404, "Not Found")
        raise Refusal(405, "Method Not Allowed", headers={"Allow": ", ".join(allowed)})

    async def auth(self, request: Request) -> Reply:
        return as_json({"auth": bool(self.key_check.api_key)})

    async def metrics(self, request: Request) -> Reply:
        """What Xinference publishes at the metrics port of its worker."""
        return Reply(body=self.model.queue_metrics().encode(), kind="text/plain; version=0.0.4")

    async def models(self, request: Request) -> Reply:
        await self._apply_faults("models")
        return as_json({"object": "list", "data": self.model.listed()})

    async def instances(self, request: Request) -> Reply:
        await self._apply_faults("models")
        return as_json([self.model.instance()])

    async def describe(self, request: Request, uid: str) -> Reply:
        if uid != self.model.uid or not self.model.ready:
            raise Refusal(400, f"{SUPERVISOR} Model not found in the model list, uid: {uid}")
        return as_json(self.model.card())

    async def replicas(self, request: Request, uid: str) -> Reply:
        await self._apply_faults("replicas")
        return as_json(self.model.replica_list() if uid == self.model.uid else [])

    async def progress(self, request: Request, request_id: str) -> Reply:
        await self._apply_faults("progress")
        snapshot = self.model.progress.snapshot(request_id)
        if snapshot is None:
            raise Refusal(400, f"{SUPERVISOR} {request_id!r}")
        return as_json(snapshot)

    async def abort(self, request: Request, uid: str, request_id: str) -> Reply:
        await self._apply_faults("abort")
        try:
            body = json.loads(request.body)
            block = float(body.get("block_duration", BLOCK))
        except (ValueError, AttributeError, TypeError) as error:
            raise Refusal(500, str(error)) from error
        self.model.call_log.write("abort", request_id)
        done = uid == self.model.uid and self.model.abort(request_id, block)
        return as_json({"msg": "DONE" if done else "NO_OP"})

    async def txt2img(self, request: Request) -> Reply:
        parsed = requests.txt2img(request.body)
        self._check_model(parsed.model)
        texts = await self._draw(parsed)
        if texts is None:
            return Reply(body=b'{"images":["/9j/4AA')
        return as_json({"images": texts, "info": {"created": int(time.time())}, "parameters": {}})

    async def generations(self, request: Request) -> Reply:
        form = requests.generations(request.body)
        self._check_model(form.model)
        texts = await self._draw(form.request(), form.check)
        if texts is None:
            return Reply(body=b'{"created":17')
        data = [{"url": None, "b64_json": text} for text in texts]
        return as_json({"created": int(time.time()), "data": data})

    def _check_model(self, uid: str | None) -> None:
        """Raises Refusal 404 for a model that is not served."""
        if uid == self.model.uid:
            return
        now, name = monotonic(), str(uid)
        detail = f"Model not found in the model list, uid: {name}"
        if self._unknown.get(name, 0.0) > now:
            raise Refusal(404, f"{detail} (cached, retry after {UNKNOWN_FOR})")
        self._unknown = {key: until for key, until in self._unknown.items() if until > now}
        self._unknown[name] = now + UNKNOWN_FOR
        raise Refusal(404, f"{SUPERVISOR} {detail}. Available model uids: ['{self.model.uid}']")

    async def _draw(
        self, request: ImageRequest, check: Callable[[], None] | None = None
    ) -> list[str] | None:
        """The base64 texts of the response, or None if it is not to be JSON."""
        self._calls += 1
        faults = [
            each
            for each in self.faults
            if each.applies("draw", self._calls, request.prompt, request.steps)
        ]
        try:
            await self._apply_before_work(faults)
        except Refusal:
            self.model.call_log.write("refused", request.request_id)
            raise
        for fault in faults:
            if fault.do == "loading":
                self.model.load_for(fault.seconds)
        picture = await outcome(self.model.enqueue(request, faults))
        if check is not None:
            check()
        kinds = {fault.do for fault in faults}
        if "not_json" in kinds:
            return None
        for kind in UNUSABLE_IMAGES:
            if kind in kinds:
                return await asyncio.to_thread(unusable_images, kind, picture)
        return [base64.b64encode(picture).decode()]

    async def _apply_faults(self, place: str) -> None:
        await self._apply_before_work([each for each in self.faults if each.applies(place)])

    async def _apply_before_work(self, faults: list[Fault]) -> None:
        """Apply the faults that replace the work."""
        for fault in faults:
            if fault.do == "status":
                wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
                raise Refusal(fault.status, fault.detail, headers=wait)
            if fault.do == "nonsense":
                raise Nonsense(await asyncio.to_thread(KINDS[fault.kind], self.model.uid))
            if fault.do == "hang":
                await asyncio.Event().wait()
            if fault.do == "drop" and (fault.step == 0 or fault.on != "draw"):
                raise ConnectionDropped


def create_app(
    *,
    model: str = "LiuJuan20260223Zimage",
    engine: str = DIFFUSERS,
    replicas: int = 1,
    speed: float = 1.0,
    api_key: str = "",
    request_limits: int | None = None,
    faults: Iterable[Fault | Mapping[str, Any]] = (),
    journal: Path | None = None,
) -> DemoXinference:
    """A new application; its processes start with the first request for a picture.

    speed: 20 means a twentieth of the work for each step. request_limits: running and queued calls
    of one replica, beyond which it responds with 429. journal: the file that records calls. Raises
    FaultError.
    """
    return DemoXinference(
        model=model,
        engine=engine,
        replicas=replicas,
        speed=speed,
        api_key=api_key,
        request_limits=request_limits,
        faults=parse_all(faults),
        journal=journal,
    )
