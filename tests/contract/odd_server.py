"""A model server that sends scripted bytes over a real socket."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

from tests.contract.demo_process import MODEL

PLACES = (
    ("models", r"GET /v1/models"),
    ("instances", r"GET /v1/models/instances"),
    ("replicas", r"GET /v1/models/([^/ ]+)/replicas"),
    ("card", r"GET /v1/models/([^/ ]+)"),
    ("progress", r"GET /v1/requests/[^/ ]+/progress"),
    ("abort", r"POST /v1/models/[^/ ]+/requests/[^/ ]+/abort"),
    ("metrics", r"GET /metrics"),
    ("draw", r"POST /sdapi/v1/txt2img"),
    ("draw", r"POST /v1/images/generations"),
)


def response(
    body: bytes | object, status: str = "200 OK", *headers: str, length: int | None = None
) -> bytes:
    """A whole response; an object goes out as JSON."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", *headers]
    if not any(line.lower().startswith("transfer-encoding") for line in headers):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class OddServer:
    """Serves `models` correctly, except for the routes in `answers`.

    Keys are "replicas", or "replicas NAME" for one model. None never responds. The connection
    closes after a scripted response, because not every one of them has a length.
    """

    def __init__(self, models: Iterable[str] = (MODEL,)) -> None:
        self.models = list(models)
        self.answers: dict[str, bytes | None] = {}
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.url = ""

    def card(self, name: str) -> dict[str, Any]:
        return {"id": name, "model_ability": ["text2image"], "model_engine": "diffusers"}

    def instance(self, name: str, **changes: Any) -> dict[str, Any]:
        usual = {"model_uid": name, "model_ability": ["text2image"], "status": "READY"}
        return {**usual, "replica": 1, **changes}

    def usual(self, place: str) -> bytes:
        if place == "models":
            return response({"data": [self.card(name) for name in self.models]})
        if place == "instances":
            return response([self.instance(name) for name in self.models])
        if place == "card":
            return response(self.card(MODEL))
        if place == "replicas":
            return response([{"status": "READY", "model_address": "127.0.0.1:43327"}])
        if place == "progress":
            return response({"progress": 0.5})
        if place == "abort":
            return response({"msg": "DONE"})
        if place == "metrics":
            return response({"detail": "Not Found"}, "404 Not Found")
        return response({"images": ["cGljdHVyZQ=="]})

    def answer(self, line: str) -> bytes | None:
        """The answer to this request line."""
        for place, pattern in PLACES:
            if match := re.fullmatch(pattern + r" HTTP/1\.1", line):
                key = " ".join([place, *map(unquote, match.groups())])
                self.asked.append(key)
                for each in (key, place):
                    if each in self.answers:
                        return self.answers[each]
                return self.usual(place)
        return response({"detail": "Not Found"}, "404 Not Found")

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                if length := re.search(r"(?i)\r\ncontent-length: (\d+)", head):
                    await reader.readexactly(int(length[1]))
                self.heads.append(head)
                answer = self.answer(head.partition("\r\n")[0])
                if answer is None:
                    await reader.read()
                    return
                writer.write(answer)
                await writer.drain()
                if answer in self.answers.values():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def serving(server: OddServer) -> AsyncIterator[OddServer]:
    listener = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    host, port = listener.sockets[0].getsockname()
    server.url = f"http://{host}:{port}"
    try:
        yield server
    finally:
        listener.close()
