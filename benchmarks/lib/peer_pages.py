"""Pages that wait for a picture, and what they show after a reload or a fault."""

from __future__ import annotations

import asyncio
import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import httpx

from benchmarks.lib.peer_systems import CELERY, GRADIO, GradioSession, gradio_http
from benchmarks.lib.socket_client import Client, Refused, connect
from benchmarks.lib.systems import System

EVENT = re.compile(rb'"task_id":"([^"]+)","seq":(\d+)')
RETRY = 0.2
"""Seconds between attempts to connect."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`seconds` from the fault to the picture, None without one; `shown`: what the page shows."""

    seconds: float | None
    shown: str


class Page(Protocol):
    async def submit(self) -> None:
        """Request a picture; returns when the request was accepted."""

    async def reload(self) -> None:
        """Drop the connection; `has_picture` opens the next one."""

    async def has_picture(self) -> bool:
        """Whether the open connection, or else a new one, brought the picture before it ended."""
        ...

    async def shown(self) -> str:
        """What the page shows now."""
        ...


async def outcome(page: Page, began: float, most: float) -> Outcome:
    """Wait for the picture, at most `most` seconds, connecting again as the page does.

    The seconds of the outcome count from `began`, of the same clock as `time.perf_counter()`.
    """
    seconds: float | None = None
    with suppress(TimeoutError):
        async with asyncio.timeout(most):
            while True:
                if await page.has_picture():
                    break
                await asyncio.sleep(RETRY)
        seconds = time.perf_counter() - began
    return Outcome(seconds=seconds, shown=await page.shown())


class SocketPage:
    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.port = port
        self.headers = headers
        self.client: Client | None = None

    async def connect(self) -> Client:
        self.client = await connect(self.port, self.headers)
        self.client.on_text = self.record
        return self.client

    async def submit(self) -> None:
        client = await self.connect()
        accepted = client.next_text(b'"ack"')
        client.send(action="generate", prompt="LiuJuan")
        self.accepted(await accepted)

    async def reload(self) -> None:
        assert self.client is not None
        self.client.reset()
        await self.client.closed

    async def has_picture(self) -> bool:
        with suppress(OSError, Refused):
            client = self.client
            if client is None or client.closed.done():
                client = await self.connect()
                if await self.resume(client):
                    return True
            ended = client.next_text(b'"result"')
            # a lost connection cancels it; wait() does not raise then
            await asyncio.wait({ended})
            return not ended.cancelled()
        return False

    def accepted(self, text: bytes) -> None:
        """Handle the acknowledgement."""

    def record(self, text: bytes) -> None:
        """Handle any text."""

    async def resume(self, client: Client) -> bool:
        """What a new page does; whether it shows the picture already."""
        raise NotImplementedError

    async def shown(self) -> str:
        raise NotImplementedError


class StudioPage(SocketPage):
    """Attaches with an empty cursor: the whole log of the task has to come."""

    task = b""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        super().__init__(port, headers)
        self.events: set[tuple[bytes, int]] = set()
        """Task and seq."""

    def accepted(self, text: bytes) -> None:
        self.task = json.loads(text)["task_id"].encode()

    async def resume(self, client: Client) -> bool:
        self.events.clear()
        client.send(action="attach", task_id=self.task.decode(), after=0)
        return False

    def record(self, text: bytes) -> None:
        match = EVENT.search(text)
        if match:
            self.events.add((match[1], int(match[2])))

    async def shown(self) -> str:
        seqs = [seq for task, seq in self.events if task == self.task]
        lost = max(seqs, default=0) - len(seqs)
        return f"{lost} events missing" if lost else "no event missing"


class CeleryPage(SocketPage):
    """A new page renders the row, and then waits for messages of its group."""

    async def row(self) -> dict[str, object]:
        async with httpx.AsyncClient(trust_env=False, headers=self.headers) as http:
            answer = await http.get(f"http://127.0.0.1:{self.port}/pictures")
        row: dict[str, object] = answer.json()["pictures"][0]
        return row

    async def resume(self, client: Client) -> bool:
        return (await self.row())["status"] == "completed"

    async def shown(self) -> str:
        row = await self.row()
        return f"{row['status']}, {row['progress']} %"


class GradioPage:
    """Listens to the stream of its session; a reloaded page would not even know that one."""

    def __init__(self, port: int) -> None:
        self.session = GradioSession(gradio_http(port))
        self.listening: asyncio.Task[bool] | None = None
        self.state = "no message"

    async def submit(self) -> None:
        await self.session.join()
        self.listening = asyncio.create_task(self.listen())

    async def listen(self) -> bool:
        """Whether the stream brought the picture."""
        with suppress(httpx.HTTPError):
            async for message in self.session.messages():
                if message["msg"] == "process_completed":
                    self.state = "picture"
                    return bool(message["success"])
                self.state = f"{message['msg']}: {message.get('message') or 'no picture'}"
        return False

    async def reload(self) -> None:
        assert self.listening is not None
        self.listening.cancel()
        await asyncio.wait({self.listening})

    async def has_picture(self) -> bool:
        listening = self.listening
        if listening is None or listening.done():
            listening = self.listening = asyncio.create_task(self.listen())
        return await listening

    async def shown(self) -> str:
        return self.state


def pages(system: System, count: int) -> list[Page]:
    """One page for each of the first `count` people."""
    if system.name == GRADIO:
        return [GradioPage(system.port) for _person in range(count)]
    kind = CeleryPage if system.name == CELERY else StudioPage
    return [kind(system.port, headers) for headers in system.people[:count]]
