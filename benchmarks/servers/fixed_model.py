"""A model server whose every picture takes the same time, however many are made at once.

It implements the part of Xinference's HTTP API that the studio uses; all pictures are the same
JPEG of 512 × 512. The fixed time replaces a GPU, so that overhead can be measured against it. It
uses bare asyncio, because a web framework would take CPU time from the measured processes.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import random
import re
from collections.abc import Callable
from typing import Any

from PIL import Image

from tests.production import MODEL

SECONDS = 1.0
STEPS = 9
DECODES_AT = 0.9
"""Share of the time after which progress is 1.0; the rest is decoding."""

SIDE = 512
HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
PATHS = {
    "models": re.compile(r"/v1/models"),
    "instances": re.compile(r"/v1/models/instances"),
    "replica_list": re.compile(r"/v1/models/[^/]+/replicas"),
    "describe": re.compile(r"/v1/models/[^/]+"),
    "progress": re.compile(r"/v1/requests/([^/]+)/progress"),
    "abort": re.compile(r"/v1/models/[^/]+/requests/([^/]+)/abort"),
    "txt2img": re.compile(r"/sdapi/v1/txt2img"),
    "generations": re.compile(r"/v1/images/generations"),
}

Reply = tuple[int, bytes]
Send = Callable[[Reply], None]


def picture() -> bytes:
    """Soft noise, as large a file as a photograph of that size."""
    grains = SIDE // 8
    noise = Image.frombytes("RGB", (grains, grains), random.Random(1).randbytes(grains**2 * 3))
    written = io.BytesIO()
    noise.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(written, "JPEG", quality=90)
    return written.getvalue()


def as_json(status: int, content: object) -> Reply:
    return status, json.dumps(content).encode()


class Model:
    """All replicas together; request ids are never forgotten."""

    def __init__(self, replicas: int, seconds: float) -> None:
        self.replicas = replicas
        self.seconds = seconds
        self.text = base64.b64encode(picture()).decode()
        self.drawn = as_json(200, {"images": [self.text], "parameters": {}, "info": {}})
        self.drawn_too = as_json(
            200, {"created": 0, "data": [{"url": None, "b64_json": self.text}]}
        )
        self.linked = as_json(200, {"created": 0, "data": [{"url": "/picture.jpg"}]})
        self.began: dict[str, float] = {}
        self.running: dict[str, asyncio.TimerHandle] = {}
        self.waiting: dict[str, Send] = {}

    def answer(self, path: str, body: bytes, send: Send) -> None:
        """Send the reply, at once or when the picture is ready."""
        for name, pattern in PATHS.items():
            match = pattern.fullmatch(path)
            if match is not None:
                getattr(self, name)(send, body, *match.groups())
                return
        send(as_json(404, {"detail": "Not Found"}))

    def card(self) -> dict[str, Any]:
        return {
            "id": MODEL,
            "model_uid": MODEL,
            "model_type": "image",
            "model_engine": "diffusers",
            "model_ability": ["text2image"],
            "address": "127.0.0.1:1",
            "status": "READY",
            "replica": self.replicas,
        }

    def models(self, send: Send, body: bytes) -> None:
        send(as_json(200, {"object": "list", "data": [self.card()]}))

    def instances(self, send: Send, body: bytes) -> None:
        send(as_json(200, [self.card()]))

    def replica_list(self, send: Send, body: bytes) -> None:
        send(as_json(200, []))

    def describe(self, send: Send, body: bytes) -> None:
        send(as_json(200, self.card()))

    def progress(self, send: Send, body: bytes, request_id: str) -> None:
        began = self.began.get(request_id)
        if began is None:
            send(as_json(400, {"detail": f"[address=127.0.0.1:1, pid=1] {request_id!r}"}))
            return
        share = (asyncio.get_running_loop().time() - began) / self.seconds / DECODES_AT
        send(as_json(200, {"progress": min(1.0, int(share * STEPS) / STEPS)}))

    def abort(self, send: Send, body: bytes, request_id: str) -> None:
        timer = self.running.pop(request_id, None)
        if timer is not None:
            timer.cancel()
            refusal = {"detail": f"The request has been cancelled: {request_id}"}
            self.waiting.pop(request_id)(as_json(409, refusal))
        send(as_json(200, {"msg": "DONE" if timer else "NO_OP"}))

    def txt2img(self, send: Send, body: bytes) -> None:
        self.draw(json.loads(body).get("request_id", ""), self.drawn, send)

    def generations(self, send: Send, body: bytes) -> None:
        order = json.loads(body)
        settings = json.loads(order.get("kwargs", "{}"))
        reply = self.linked if order.get("response_format") == "url" else self.drawn_too
        self.draw(settings.get("request_id", ""), reply, send)

    def draw(self, request_id: str, reply: Reply, send: Send) -> None:
        """A call without an id has no progress and cannot be aborted."""
        loop = asyncio.get_running_loop()
        now = loop.time()

        def ready() -> None:
            self.running.pop(request_id, None)
            self.waiting.pop(request_id, None)
            send(reply)

        timer = loop.call_at(now + self.seconds, ready)
        if request_id:
            self.began[request_id] = now
            self.running[request_id], self.waiting[request_id] = timer, send


class Exchange(asyncio.Protocol):
    """One kept-alive connection: a request, its reply, the next request."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, body = bytes(self.buffer).partition(HEAD_END)
        length = LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self.buffer.clear()
        _method, path, _version = head.partition(b"\r\n")[0].decode().split(" ")
        self.model.answer(path, body, self.send)

    def send(self, reply: Reply) -> None:
        status, body = reply
        head = (
            f"HTTP/1.1 {status} .\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        if not self.transport.is_closing():
            self.transport.write(head.encode() + body)


async def serve(port: int, replicas: int, seconds: float) -> None:
    model = Model(replicas, seconds)
    server = await asyncio.get_running_loop().create_server(
        lambda: Exchange(model), "127.0.0.1", port
    )
    print("READY", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.servers.fixed_model", description=__doc__
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--replicas", type=int, default=64, help="calls that the studio may make")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each picture")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.replicas, options.seconds))
