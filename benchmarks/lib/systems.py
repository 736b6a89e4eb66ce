"""Systems that make pictures: the model itself, the studio with one process and with a separate
worker, and a tutorial. All use the same fixed-time model server, each in its own processes.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import httpx

from benchmarks.lib.process_stats import cpu_seconds
from benchmarks.lib.socket_client import Client, connect, crowd
from benchmarks.lib.testbed import OURS, Served, Side, Writer
from tests.production import MODEL, Production
from tests.programs import ModelServer, Program
from tests.studio import Studio, wait_until

TUTORIAL = Side("tutorial", "benchmarks.servers.tutorial:application")
STARTS = 30.0
DIRECT, ALONE, APART = "direct call", "ours, one process", "ours, separate worker"


class FixedModel(ModelServer):
    """`python -m benchmarks.servers.fixed_model`."""

    def command(self) -> list[str]:
        return ["-m", "benchmarks.servers.fixed_model", "--port", str(self.port), *self.options]


class Requester(Protocol):
    """Requests one picture after the other."""

    async def request(self) -> float:
        """Seconds from the request until the picture has arrived."""
        ...


MARKS = {
    "ack": b'"type":"ack"',
    "claimed": b'"kind":"claimed"',
    "preparing": b'"step":"preparing"',
    "finishing": b'"step":"finishing"',
}
"""Frames on the way to a picture, in order, and the text that identifies them."""


class SocketRequester:
    """Over a socket, from the submission to the `result` frame."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.marks: dict[str, float] = {}
        """Seconds from the last request until each of `MARKS`."""

        self.result = b""
        """The last `result` frame."""

    async def request(self) -> float:
        ended = self.client.next_text(b'"result"')
        refused = self.client.next_text(b'"error"')
        began = time.perf_counter()
        for name, part in MARKS.items():
            self.client.next_text(part).add_done_callback(partial(self.mark, name, began))
        self.client.send(action="generate", prompt="LiuJuan")
        await asyncio.wait({ended, refused}, return_when=asyncio.FIRST_COMPLETED)
        took = time.perf_counter() - began
        assert ended.done(), refused.result()
        self.result = ended.result()
        return took

    def mark(self, name: str, began: float, _heard: object) -> None:
        self.marks[name] = time.perf_counter() - began


class DirectRequester:
    """At the model, from the call until the response is read, over one connection."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def request(self) -> float:
        order = {"model": MODEL, "prompt": "LiuJuan", "width": 512, "height": 512, "steps": 9}
        began = time.perf_counter()
        answer = await self.http.post("/sdapi/v1/txt2img", json=order)
        assert answer.json()["images"]
        return time.perf_counter() - began


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """`people`: headers of one socket each at `port`; empty for the model.

    `drawer` is the process that calls the model.
    """

    name: str
    port: int
    people: list[dict[str, str]] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)
    drawer: Studio | Program | None = None

    def cpu_seconds(self) -> float:
        """CPU seconds of its web and worker processes so far."""
        return sum(cpu_seconds(pid) for pid in self.pids)

    async def requesters(self, count: int) -> list[Requester]:
        if not self.people:
            http = httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{self.port}",
                timeout=STARTS,
                limits=httpx.Limits(max_connections=None, keepalive_expiry=STARTS),
                trust_env=False,
            )
            return [DirectRequester(http)] * count

        async def one(number: int) -> Requester:
            return SocketRequester(await connect(self.port, self.people[number]))

        return list(await crowd(count, one))


@contextmanager
def systems(people: int) -> Iterator[list[System]]:
    """All systems, ready, with `people` accounts each."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="liujuan-benchmark-")))
        model = FixedModel("fixed-model", folder)
        ends.callback(model.kill)
        model.start()
        yield [
            System(name=DIRECT, port=model.port),
            ends.enter_context(one_process(folder / "alone", model, people)),
            ends.enter_context(separate_worker(folder / "apart", model, people)),
            ends.enter_context(tutorial(folder, model, people)),
        ]


@contextmanager
def one_process(folder: Path, model: FixedModel, people: int) -> Iterator[System]:
    """`manage.py serve`: SQLite, the in-memory layer and the worker in the web process."""
    studio = Studio(folder, XINFERENCE_URL=model.url)
    try:
        studio.start()
        assert studio.process is not None
        pids = [studio.process.pid]
        yield System(
            name=ALONE,
            port=studio.port,
            people=keys(studio.env, people),
            pids=pids,
            drawer=studio,
        )
    finally:
        studio.stop()


@contextmanager
def separate_worker(folder: Path, model: FixedModel, people: int) -> Iterator[System]:
    """PostgreSQL, Redis, one web and one worker."""
    studio = Production(folder, XINFERENCE_URL=model.url)
    studio.model = model
    try:
        studio.start_stores()
        for program in (*studio.webs, *studio.workers):
            program.start()
        wait_until(studio.sees_the_model, what="the worker has seen the model")
        port = studio.webs[0].port
        pids = [
            program.process.pid for program in (*studio.webs, *studio.workers) if program.process
        ]
        yield System(
            name=APART,
            port=port,
            people=keys(studio.env, people),
            pids=pids,
            drawer=studio.workers[0],
        )
    finally:
        studio.stop()


def keys(env: dict[str, str], count: int) -> list[dict[str, str]]:
    """Headers that sign in the sockets of `count` new accounts."""
    writer = Writer(env)
    try:
        return [OURS.headers(person) for person in writer.people(count)]
    finally:
        writer.close()


@contextmanager
def tutorial(folder: Path, model: FixedModel, people: int) -> Iterator[System]:
    served = Served(TUTORIAL, folder, {**os.environ, "XINFERENCE_URL": model.url})
    served.launch()
    try:
        wait_until(served.is_ready, what="the tutorial is ready")
        yield System(name=TUTORIAL.name, port=served.port, people=[{}] * people)
    finally:
        served.kill()
