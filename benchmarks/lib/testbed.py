"""What the figures stand on: servers of their own, a writer, and the sides that are compared."""

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

from benchmarks.lib.socket_client import Client, dial
from benchmarks.servers.process_counts import PATH, Figures
from tests.production import Production, Web
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
    """One of those that are compared; `signs_in` with a token, a session, or not at all."""

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
    """One side in a server of its own; `server` gives its command for a port and an application."""

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
        assert self.alive, f"{self.name} ended: {self.said()[-2_000:]}"
        try:
            return bool(self.figures())
        except OSError:
            return False

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def figures(self) -> Figures:
        with urllib.request.urlopen(self.url + PATH, timeout=60) as answer:
            counted: Figures = json.load(answer)
            return counted

    async def connect(self, person: Person, *, receive_buffer: int | None = None) -> Client:
        """A socket that was greeted."""
        headers = self.side.headers(person)
        client = await dial(self.port, headers, receive_buffer=receive_buffer)
        greeted = client.heard(b'"hello"')
        await client.opened
        await greeted
        return client

    async def attach(self, person: Person, task: str, after: int = 0) -> Client:
        """A socket that was told everything up to now."""
        client = await self.connect(person)
        live = client.heard(b'"live"')
        client.send(action="attach", task_id=task, after=after)
        await live
        return client


class Writer:
    """The other end of `benchmarks.servers.task_writer`."""

    def __init__(self, env: dict[str, str], log: IO[str] | None = None) -> None:
        """`log` takes what it writes on stderr, where that is expected to be much."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.servers.task_writer"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    def ask(self, do: str, **values: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **values}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the writer ended; it wrote why"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def people(self, count: int) -> list[Person]:
        return [Person(**person) for person in self.ask("people", count=count)["people"]]

    def task(self, owner: Person) -> str:
        """The id of a running task."""
        return str(self.ask("task", owner=owner.name)["task"])

    def draw(self, owner: Person) -> None:
        """Submit a task for the real worker."""
        self.ask("draw", owner=owner.name)

    def events(self, task: str, count: int = 1) -> int:
        """Write so many; the newest seq."""
        return int(self.ask("events", task=task, count=count)["newest"])

    @contextmanager
    def flow(self, tasks: list[str], per_second: float) -> Iterator[dict[str, int]]:
        """Events all the while; afterwards the yielded `written` says how many."""
        told: dict[str, int] = {}
        self.ask("flow", tasks=tasks, per_second=per_second)
        try:
            yield told
        finally:
            told.update(self.ask("stop"))

    def close(self) -> None:
        self.process.communicate(timeout=60)


class Stand:
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
        self.studio.postgres.start()
        self.studio.redis.start()
        self.studio.manage("migrate", "-v", "0")
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
        """A new process of that side, of Daphne if no other server is named."""
        served = Served(side, self.studio.folder, self.studio.env, server)
        self.sides.append(served)
        served.launch()
        wait_until(served.is_ready, what=f"{side.name} is ready")
        try:
            yield served
        finally:
            served.kill()

    def subscriptions(self) -> int:
        """How many channels of Redis somebody is subscribed to."""
        with redis.Redis.from_url(self.studio.redis.url) as connection:
            return len(connection.pubsub_channels())
