"""Minimal HTTP over ASGI: reads whole requests and sends whole responses."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from demo_xinference.errors import Refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DROP = "demo.drop"
"""Name of the ASGI message and extension with which the demo's server cuts a connection."""

PAGE = b"<!DOCTYPE html><html><body>404: no such page in this demo model server</body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    client: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] | None = None


def as_json(content: object) -> Reply:
    return Reply(body=json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def of_refusal(error: Refusal) -> Reply:
    if error.plain:
        kind, body = "text/plain; charset=utf-8", error.detail.encode()
        return Reply(status=error.status, body=body, kind=kind, headers=error.headers)
    body = as_json({"detail": error.detail}).body
    return Reply(status=error.status, body=body, headers=error.headers)


def no_such_page() -> Reply:
    """The web interface of the real server answers every unknown GET."""
    return Reply(status=404, body=PAGE, kind="text/html; charset=utf-8")


async def read(scope: Scope, receive: Receive) -> Request | None:
    """The request; None if the client disconnected before it was complete."""
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return Request(
        method=scope["method"],
        path=scope["path"],
        headers={
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        },
        client=(scope.get("client") or ("unknown",))[0],
        body=b"".join(parts),
    )


async def send_reply(send: Send, request: Request, reply: Reply) -> None:
    headers = {
        "content-type": reply.kind,
        "content-length": str(len(reply.body)),
        "vary": "Origin",
        "x-request-id": request.headers.get("x-request-id") or secrets.token_hex(16),
        **(reply.headers or {}),
    }
    await send(
        {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": reply.body})
