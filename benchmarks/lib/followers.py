"""Programs that follow a task as a page does: who loses the line comes back with its cursor."""

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
"""Seconds, at most, until the first try after a break."""

SILENCE = 10.0
"""Seconds without news after which what is missing counts as lost."""

LOOK = 0.05
EVENT = re.compile(rb'"task_id":"([^"]+)","seq":(\d+),"kind".*"timestamp":([\d.]+)')


@dataclass(frozen=True, slots=True)
class Tally:
    """What a crowd should have, lacks, and has twice; `latest`: seconds from when an event was
    written until the last one had it, who followed by then."""

    expected: int
    missing: int
    doubled: int
    latest: float


class Follower:
    """Connects to one web of its side, and after a break to the next; keeps all it hears."""

    def __init__(self, ports: list[int], headers: dict[str, str]) -> None:
        self.ports = ports
        self.headers = headers
        self.place = 0
        self.client: Client | None = None
        self.connected = asyncio.Event()
        self.task = ""
        self.since = 0.0
        self.heard: list[tuple[int, float, float]] = []
        """(seq, Unix seconds when it came, Unix seconds when it was written)."""

        self.life = asyncio.create_task(self.live())

    async def live(self) -> None:
        while True:
            with suppress(OSError, Refused):
                await self.be_connected()
            self.connected.clear()
            self.place = (self.place + 1) % len(self.ports)
            await asyncio.sleep(random.uniform(0, COMES_BACK))

    async def be_connected(self) -> None:
        """Until the line breaks."""
        client = await dial(self.ports[self.place], self.headers)
        try:
            greeted = client.heard(b'"hello"')
            client.on_text = self.hear
            await client.opened
            # lost before that, `greeted` is cancelled: a wait takes that as an end like any other
            await asyncio.wait([greeted])
            self.client = client
            if self.task:
                self.ask()
            self.connected.set()
            # cancelled, this must not cancel what the client still has to set
            await asyncio.wait([client.closed])
        finally:
            client.transport.abort()

    def ask(self) -> None:
        assert self.client is not None
        cursor = max((seq for seq, _came, _written in self.heard), default=0)
        self.client.send(action="attach", task_id=self.task, after=cursor)

    def hear(self, text: bytes) -> None:
        match = EVENT.search(text)
        if match and match[1].decode() == self.task:
            self.heard.append((int(match[2]), time.time(), float(match[3])))

    async def follow(self, task: str) -> None:
        """From its first event on; returns when everything up to now was told."""
        await self.connected.wait()
        assert self.client is not None
        self.task, self.since, self.heard = task, time.time(), []
        live = self.client.heard(b'"live"')
        self.ask()
        await live

    def leave(self) -> None:
        self.life.cancel()


class Followers:
    """All watchers of one side."""

    def __init__(self, ports: list[int], headers: dict[str, str], count: int) -> None:
        self.all = [Follower(ports, headers) for _number in range(count)]

    async def follow(self, task: str) -> None:
        await crowd(len(self.all), lambda number: self.all[number].follow(task))

    async def hears(self, text: bytes) -> None:
        """The next frame that holds `text`, at one of them."""
        client = self.all[0].client
        assert client is not None
        await client.heard(text)

    async def settle(self, newest: int) -> None:
        """Until everybody has the events 1 to `newest`, or nobody has heard anything for long."""
        lacking, since, known = self.all, time.monotonic(), -1
        while lacking and time.monotonic() - since < SILENCE:
            await asyncio.sleep(LOOK)
            lacking = [each for each in lacking if len(set(seqs(each))) < newest]
            heard = sum(len(each.heard) for each in self.all)
            if heard != known:
                known, since = heard, time.monotonic()

    def tally(self, newest: int, written: float | None = None) -> Tally:
        """`written`: when, in Unix seconds, if the events do not say it."""
        wanted = set(range(1, newest + 1))
        return Tally(
            expected=newest * len(self.all),
            missing=sum(len(wanted - set(seqs(each))) for each in self.all),
            doubled=sum(len(each.heard) - len(set(seqs(each))) for each in self.all),
            latest=max(
                (
                    came - (written or stamp)
                    for each in self.all
                    for _seq, came, stamp in each.heard
                    if stamp >= each.since
                ),
                default=math.inf,
            ),
        )

    def leave(self) -> None:
        for each in self.all:
            each.leave()


def seqs(follower: Follower) -> list[int]:
    return [seq for seq, _came, _written in follower.heard]
