"""The studio's pages, with a socket that simulates many running tasks.

200 running tasks need 200 model replicas; only the page is measured here. CARDS tasks get
PER_SECOND events each. With EVENTS, that many events are sent as fast as the page takes them.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from typing import Any

from liujuan_site import asgi

# the protocol needs Django's apps, which asgi loads
# isort: split
from benchmarks.servers.process_counts import Send, with_figures
from generation.protocol import PROTOCOL_VERSION

CARDS = int(os.environ.get("CARDS", "200"))
PER_SECOND = float(os.environ.get("PER_SECOND", "4"))
EVENTS = int(os.environ.get("EVENTS", "0"))
STEPS = 100
AT_ONCE = 500
"""Events without a pause, so that the page also handles other frames."""

POLL_EVERY = 5.0
"""Seconds."""


class ScriptedSocket:
    """One socket and its tasks, which never end."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.tasks = [str(uuid.uuid4()) for _ in range(CARDS)]
        self.seqs = dict.fromkeys(self.tasks, 0)

    async def send_frame(self, message: dict[str, Any]) -> None:
        await self.send({"type": "websocket.send", "text": json.dumps(message)})

    async def hello(self) -> None:
        await self.send_frame(
            {
                "type": "hello",
                "protocol": PROTOCOL_VERSION,
                "connection_id": "scripted",
                "server_time": time.time(),
                "active": [{"task_id": task, "seq": 0} for task in self.tasks],
            }
        )
        for task in self.tasks:
            await self.send_frame(
                {"type": "task", "task_id": task, "seq": 0, "task": task_settings()}
            )

    async def handle(self, message: dict[str, Any]) -> None:
        if message["action"] == "attach":
            task = message["task_id"]
            await self.event(task, "submitted", "parsing")
            await self.event(task, "claimed", "loading")
            await self.event(task, "step_began", "generating", steps=STEPS)
            await self.send_frame({"type": "live", "task_id": task, "seq": self.seqs[task]})
        elif message["action"] == "ping":
            await self.send_frame({"type": "pong", "cursors": {}, "server_time": time.time()})

    async def event(self, task: str, kind: str, step: str, **details: Any) -> None:
        self.seqs[task] += 1
        done = details.get("done", 0)
        await self.send_frame(
            {
                "type": "progress",
                "task_id": task,
                "seq": self.seqs[task],
                "kind": kind,
                "status": "queued" if kind == "submitted" else "running",
                "step": step,
                "message": step,
                "progress": done,
                "basis": "measured",
                "eta_seconds": (STEPS - done) / PER_SECOND,
                "attempt": 0 if kind == "submitted" else 1,
                "image": 0 if kind == "submitted" else 1,
                "details": details,
                "timestamp": time.time(),
            }
        )

    async def run(self) -> None:
        if EVENTS:
            await self.run_at_full_speed()
            return
        number = 0
        while True:
            began = time.monotonic()
            for index, task in enumerate(self.tasks):
                await self.progress(task, number)
                # spread over the interval, like the events of many replicas
                due = began + (index + 1) / len(self.tasks) / PER_SECOND
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            number += 1

    async def run_at_full_speed(self) -> None:
        """Two more tasks mark a tenth and the end; after the first there is a pause to measure."""
        for number in range(EVENTS):
            await self.progress(self.tasks[number % CARDS], number // CARDS)
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0.1)
            if number == EVENTS // 10:
                await self.add_task("a tenth")
                await asyncio.sleep(POLL_EVERY)
        await self.add_task("all")

    async def add_task(self, prompt: str) -> None:
        task = str(uuid.uuid4())
        self.seqs[task] = 0
        settings = {**task_settings(), "prompt": prompt}
        await self.send_frame({"type": "task", "task_id": task, "seq": 0, "task": settings})

    async def progress(self, task: str, number: int) -> None:
        if self.seqs[task]:
            done = 1 + number % STEPS
            await self.event(
                task, "progressed", "generating", done=done, total=STEPS, fraction=done / STEPS
            )


def task_settings() -> dict[str, Any]:
    return {
        "prompt": f"A picture of {uuid.uuid4().hex}",
        "negative_prompt": "",
        "model": "scripted",
        "width": 512,
        "height": 512,
        "n": 1,
        "steps": STEPS,
        "guidance": 0.0,
        "seed": None,
        "parent": None,
        "created": time.time(),
        "request_key": None,
        "cancel_after": None,
        "expected": {"loading": 0.1, "generating": 25.0, "decoding": 0.5, "finishing": 0.1},
    }


async def serve(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "websocket":
        await asgi.application(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    socket = ScriptedSocket(send)
    await socket.hello()
    running = asyncio.create_task(socket.run())
    try:
        while (message := await receive())["type"] != "websocket.disconnect":
            await socket.handle(json.loads(message["text"]))
    finally:
        running.cancel()


application = with_figures(serve, dict)
