"""Sockets in separate processes that record raw data and parse it afterwards.

A load generator that parses every frame on arrival is slower than the servers it measures.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.lib.process_stats import allow_many_files
from benchmarks.lib.socket_client import Client, crowd, handshake

PROCESSES = 2
POLL_EVERY = 0.02
"""Seconds between checks whether everything has arrived."""

TAIL = 2_000
"""Bytes at the end of the received data that contain the last event."""

EVENT = re.compile(rb'"seq":(\d+),"kind"')

Arrivals = list[tuple[int, int]]
"""(seq, nanosecond of the monotonic clock) of every event of one socket, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to connect, and the task to attach to."""

    port: int
    headers: dict[str, str]
    task: str


class Listener(Client):
    """While recording, data are stored with their time of arrival."""

    def __init__(self, request: bytes) -> None:
        super().__init__(request)
        self.chunks: list[tuple[int, bytes]] = []
        self.recording = False

    def data_received(self, data: bytes) -> None:
        if self.recording:
            self.chunks.append((time.monotonic_ns(), data))
        else:
            super().data_received(data)

    def has(self, mark: bytes) -> bool:
        return mark in b"".join(data[-TAIL:] for _stamp, data in self.chunks[-2:])

    def arrivals(self) -> Arrivals:
        """Parse the recorded data."""
        self.recording = False
        arrivals: Arrivals = []
        chunks, self.chunks = self.chunks, []
        for stamp, data in chunks:
            self.on_text = lambda text, stamp=stamp: note(text, stamp, arrivals)  # type: ignore[misc]
            super().data_received(data)
        return arrivals


def note(text: bytes, stamp: int, arrivals: Arrivals) -> None:
    match = EVENT.search(text)
    if match:
        arrivals.append((int(match[1]), stamp))


class ListenerProcess:
    """The listeners of one process; `Listeners` calls its methods by name."""

    def __init__(self) -> None:
        self.groups: dict[str, list[Listener]] = {}

    async def attach(self, group: str, endpoint: Endpoint, count: int) -> None:
        async def one(_number: int) -> Listener:
            _transport, listener = await asyncio.get_running_loop().create_connection(
                lambda: Listener(handshake(endpoint.port, endpoint.headers)),
                "127.0.0.1",
                endpoint.port,
            )
            greeted = listener.next_text(b'"hello"')
            await listener.opened
            await greeted
            live = listener.next_text(b'"live"')
            listener.send(action="attach", task_id=endpoint.task, after=0)
            await live
            return listener

        self.groups[group] = await crowd(count, one)

    async def record(self, group: str) -> None:
        for listener in self.groups[group]:
            listener.recording = True

    async def collect(self, group: str, last: int, wait: float) -> list[Arrivals]:
        """Arrivals by socket once each has the event `last`, or after `wait` seconds."""
        mark, end = b'"seq":%d,"kind"' % last, time.monotonic() + wait
        missing = self.groups[group]
        while missing and time.monotonic() < end:
            await asyncio.sleep(POLL_EVERY)
            missing = [listener for listener in missing if not listener.has(mark)]
        return [listener.arrivals() for listener in self.groups[group]]


async def run_commands(pipe: Connection) -> None:
    """Run one command after the other, until None."""
    loop, sockets = asyncio.get_running_loop(), ListenerProcess()
    while (command := await loop.run_in_executor(None, pipe.recv)) is not None:
        name, arguments = command
        pipe.send(await getattr(sockets, name)(*arguments))


def run(pipe: Connection) -> None:
    allow_many_files()
    # a collection would count as latency of the server
    gc.disable()
    asyncio.run(run_commands(pipe))


class Listeners:
    """Sends every command to all processes and waits for all of them."""

    def __init__(self, pipes: list[Connection]) -> None:
        self.pipes = pipes

    def call(self, name: str, shares: Sequence[tuple[Any, ...]]) -> list[Any]:
        for pipe, arguments in zip(self.pipes, shares, strict=True):
            pipe.send((name, arguments))
        return [pipe.recv() for pipe in self.pipes]

    def attach(self, group: str, endpoint: Endpoint, count: int) -> None:
        shares = [len(range(number, count, len(self.pipes))) for number in range(len(self.pipes))]
        self.call("attach", [(group, endpoint, share) for share in shares])

    def record(self, group: str) -> None:
        self.call("record", [(group,)] * len(self.pipes))

    def collect(self, group: str, last: int, wait: float) -> list[Arrivals]:
        results = self.call("collect", [(group, last, wait)] * len(self.pipes))
        return [arrivals for each in results for arrivals in each]


@contextmanager
def listeners() -> Iterator[Listeners]:
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _number in range(PROCESSES):
        ours, theirs = context.Pipe()
        process = context.Process(target=run, args=(theirs,), daemon=True)
        process.start()
        pipes.append(ours)
        processes.append(process)
    try:
        yield Listeners(pipes)
    finally:
        for pipe in pipes:
            pipe.send(None)
        for process in processes:
            process.join()
