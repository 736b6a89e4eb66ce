"""Servers for a figure, a task writer, and the sides that are compared."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import redis

from benchmarks.lib.socket_client import Client, connect
from benchmarks.servers.process_counts import PATH, Figures
from tests.production import Production
from tests.programs import Web
from tests.studio import ROOT, wait_until

Server = Callable[[int, str], list[str]]


@dataclass(frozen=True, slots=True)
class Person:
    """An account, with a program's token and a browser's session cookie ("name=value")."""

    name: str
    token: str
    session: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of the compared systems; `signs_in` is "token", "session" or empty."""

    name: str
    application: str
    signs_in: str = ""
    settings: str = "liujuan_site.settings"

    def headers(self, person: Person) -> dict[str, str]:
        if self.signs_in == "token":
            return {"Authorization": f"Bearer {person.token}"}
        return {"Cookie": person.session} if self.signs_in else {}


OURS = Side("ours", "benchmarks.servers.studio_app:application", "token")
STOCK = Side("stock Channels consumer", "benchmarks.servers.stock_consumer:application", "session")
BARE = Side("bare Daphne", "benchmarks.servers.bare_socket:application")


class Served(Web):
    """One side in its own server; `server` returns the command for a port and an application."""

    def __init__(
        self, side: Side, folder: Path, env: dict[str, str], server: Server | None = None
    ) -> None:
        # one account opens all the connections of a figure
        unlimited = {"CONNECTIONS_PER_PERSON": "1000000", "CONNECTIONS_PER_ADDRESS": "1000000"}
        env = {**env, **unlimited, "DJANGO_SETTINGS_MODULE": side.settings}
        super().__init__(side.name.replace(" ", "-"), folder, env)
        self.side = side
        self.server = server

    def command(self) -> list[str]:
        if self.server is not None:
            return self.server(self.port, self.side.application)
        return [*super().command()[:-1], self.side.application]

    def is_ready(self) -> bool:
        assert self.alive, f"{self.name} ended: {self.output()[-2_000:]}"
        try:
            return bool(self.figures())
        except OSError:
            return False

    def figures(self) -> Figures:
        with urllib.request.urlopen(self.url + PATH, timeout=60) as answer:
            counted: Figures = json.load(answer)
            return counted

    async def connect(self, person: Person, *, receive_buffer: int | None = None) -> Client:
        """A socket that received `hello`."""
        headers = self.side.headers(person)
        return await connect(self.port, headers, receive_buffer=receive_buffer)

    async def attach(self, person: Person, task: str, after: int = 0) -> Client:
        """A socket that received the replay of a task."""
        client = await self.connect(person)
        live = client.next_text(b'"live"')
        client.send(action="attach", task_id=task, after=after)
        await live
        return client


class Writer:
    """The other end of `benchmarks.servers.task_writer`."""

    def __init__(self, env: dict[str, str], log: IO[str] | None = None) -> None:
        """`log` receives its stderr."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.servers.task_writer"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    def call(self, action: str, **values: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"action": action, **values}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the writer ended; see its stderr"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def people(self, count: int) -> list[Person]:
        return [Person(**person) for person in self.call("people", count=count)["people"]]

    def task(self, owner: Person) -> str:
        """The id of a running task."""
        return str(self.call("task", owner=owner.name)["task"])

    def draw(self, owner: Person) -> None:
        """Submit a task for the real worker."""
        self.call("draw", owner=owner.name)

    def events(self, task: str, count: int = 1) -> int:
        """Write `count` events; the newest seq."""
        return int(self.call("events", task=task, count=count)["newest"])

    @contextmanager
    def flow(self, tasks: list[str], per_second: float) -> Iterator[dict[str, int]]:
        """Write events during the body; afterwards the yielded `written` is their number."""
        result: dict[str, int] = {}
        self.call("flow", tasks=tasks, per_second=per_second)
        try:
            yield result
        finally:
            result.update(self.call("stop"))

    def close(self) -> None:
        self.process.communicate(timeout=60)


class Testbed:
    """PostgreSQL, Redis and a writer; with `drawing` also a worker and a demo model."""

    def __init__(self, *, drawing: bool = False) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="liujuan-benchmark-")
        parts = int(drawing)
        self.studio = Production(Path(self.folder.name), webs=0, workers=parts, replicas=2)
        self.drawing = drawing
        self.sides: list[Served] = []

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.writer.close()
        self.stop()

    def start(self) -> None:
        self.studio.start_stores()
        if self.drawing:
            self.studio.model.start()
            self.studio.workers[0].start()
        self.writer = Writer(self.studio.env)

    def stop(self) -> None:
        for served in self.sides:
            served.kill()
        self.studio.stop()
        self.folder.cleanup()

    @contextmanager
    def serving(self, side: Side, server: Server | None = None) -> Iterator[Served]:
        """A new process of that side, by default in Daphne."""
        served = Served(side, self.studio.folder, self.studio.env, server)
        self.sides.append(served)
        served.launch()
        wait_until(served.is_ready, what=f"{side.name} is ready")
        try:
            yield served
        finally:
            served.kill()

    def subscriptions(self) -> int:
        """Number of Redis channels with a subscriber."""
        with redis.Redis.from_url(self.studio.redis.url) as connection:
            return len(connection.pubsub_channels())
