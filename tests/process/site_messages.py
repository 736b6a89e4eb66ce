"""Messages of sockets and streams behind nginx."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed

from tests.process.nginx_site import Site
from tests.process.secure_socket import SecureSocket


def submit(site: Site, browser: httpx.Client, **fields: int | str) -> str:
    """The id of a new task, sent by POST as a page does."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get("/").text)
    assert token
    answer = browser.post(
        "/messages/",
        json={"action": "generate", "prompt": "by POST", "size": "256x256", **fields},
        headers={"X-CSRFToken": token[1], "Origin": site.url},
    )
    task_id: str = answer.json()["frames"][0]["task_id"]
    return task_id


def frames_of(stream: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in stream.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def until_over(frames: Iterator[dict[str, Any]], task_id: str) -> list[dict[str, Any]]:
    """The frames of this task, up to its end."""
    received: list[dict[str, Any]] = []
    for frame in frames:
        if frame.get("task_id") == task_id:
            received.append(frame)
            if frame.get("kind") in ("completed", "failed", "cancelled"):
                break
    return received


def first_of(socket: SecureSocket) -> str:
    """The type of its next message."""
    message: dict[str, str] = json.loads(socket.recv())
    return message["type"]


def ending_of(socket: SecureSocket) -> int:
    """The code it was closed with; 0 while it answers."""
    try:
        socket.send(json.dumps({"action": "ping"}))
        while json.loads(socket.recv())["type"] != "pong":
            pass
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else -1
    return 0
