"""Clients that follow a task as a page does: they reconnect with their cursor."""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from contextlib import suppress
from dataclasses import dataclass

from benchmarks.lib.socket_client import Client, Refused, crowd, dial

COMES_BACK = 0.5
"""Most seconds until the first reconnect."""

SILENCE = 10.0
"""Seconds without frames after which missing events count as lost."""

POLL_EVERY = 0.05
EVENT = re.compile(rb'"task_id":"([^"]+)","seq":(\d+),"kind".*"timestamp":([\d.]+)')


@dataclass(frozen=True, slots=True)
class Tally:
    """Expected, missing and doubled events of all followers.

    `latest`: most seconds from the write of an event until a follower received it."""

    expected: int
    missing: int
    doubled: int
    latest: float


class Follower:
    """Connects to one web of its side, reconnects to the next, and keeps all events."""

    def __init__(self, ports: list[int], headers: dict[str, str]) -> None:
        self.ports = ports
        self.headers = headers
        self.port_index = 0
        self.client: Client | None = None
        self.connected = asyncio.Event()
        self.task = ""
        self.since = 0.0
        self.received: list[tuple[int, float, float]] = []
        """(seq, Unix seconds of arrival, Unix seconds of the write)."""

        self.running = asyncio.create_task(self.run())

    async def run(self) -> None:
        while True:
            with suppress(OSError, Refused):
                await self.follow_connection()
            self.connected.clear()
            self.port_index = (self.port_index + 1) % len(self.ports)
            await asyncio.sleep(random.uniform(0, COMES_BACK))

    async def follow_connection(self) -> None:
        """Connect, and wait until the connection ends."""
        client = await dial(self.ports[self.port_index], self.headers)
        try:
            greeted = client.next_text(b'"hello"')
            client.on_text = self.record
            await client.opened
            # a lost connection cancels `greeted`; wait() does not raise then
            await asyncio.wait([greeted])
            self.client = client
            if self.task:
                self.attach()
            self.connected.set()
            # a cancelled wait() does not cancel the future of the client
            await asyncio.wait([client.closed])
        finally:
            client.transport.abort()

    def attach(self) -> None:
        assert self.client is not None
        cursor = max((seq for seq, _came, _written in self.received), default=0)
        self.client.send(action="attach", task_id=self.task, after=cursor)

    def record(self, text: bytes) -> None:
        match = EVENT.search(text)
        if match and match[1].decode() == self.task:
            self.received.append((int(match[2]), time.time(), float(match[3])))

    async def follow(self, task: str) -> None:
        """Follow from the first event; returns when the replay is over."""
        await self.connected.wait()
        assert self.client is not None
        self.task, self.since, self.received = task, time.time(), []
        live = self.client.next_text(b'"live"')
        self.attach()
        await live

    def stop(self) -> None:
        self.running.cancel()


class Followers:
    """All followers of one side."""

    def __init__(self, ports: list[int], headers: dict[str, str], count: int) -> None:
        self.all = [Follower(ports, headers) for _number in range(count)]

    async def follow(self, task: str) -> None:
        await crowd(len(self.all), lambda number: self.all[number].follow(task))

    async def next_text(self, text: bytes) -> None:
        """Wait for the next frame that contains `text`, at one follower."""
        client = self.all[0].client
        assert client is not None
        await client.next_text(text)

    async def settle(self, newest: int) -> None:
        """Wait until all have the events 1 to `newest`, or until SILENCE has passed."""
        lacking, since, counted = self.all, time.monotonic(), -1
        while lacking and time.monotonic() - since < SILENCE:
            await asyncio.sleep(POLL_EVERY)
            lacking = [each for each in lacking if len(set(seqs(each))) < newest]
            received = sum(len(each.received) for each in self.all)
            if received != counted:
                counted, since = received, time.monotonic()

    def tally(self, newest: int, written: float | None = None) -> Tally:
        """`written`: Unix seconds of the write, if the events do not have it."""
        wanted = set(range(1, newest + 1))
        return Tally(
            expected=newest * len(self.all),
            missing=sum(len(wanted - set(seqs(each))) for each in self.all),
            doubled=sum(len(each.received) - len(set(seqs(each))) for each in self.all),
            latest=max(
                (
                    came - (written or stamp)
                    for each in self.all
                    for _seq, came, stamp in each.received
                    if stamp >= each.since
                ),
                default=math.inf,
            ),
        )

    def stop(self) -> None:
        for each in self.all:
            each.stop()


def seqs(follower: Follower) -> list[int]:
    return [seq for seq, _came, _written in follower.received]
