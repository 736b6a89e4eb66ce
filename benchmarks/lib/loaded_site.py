"""A whole installation whose webs and workers are started one by one; CPU of each part."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lib.process_stats import cpu_seconds, family
from benchmarks.lib.socket_client import crowd
from benchmarks.lib.systems import FixedModel, SocketRequester
from benchmarks.lib.testbed import OURS, Person, Served, Writer
from benchmarks.servers.fixed_model import SECONDS
from tests.production import MODEL, Production
from tests.programs import Program
from tests.studio import wait_until

REPLICAS = 64
"""More than concurrent requests: the model is never the limit."""

UNDER_WAY = 2.0
"""Warm-up in seconds: until the first pictures have arrived."""

Cpu = dict[str, float]
"""Seconds, by part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSite:
    studio: Production
    models: list[FixedModel]
    webs: list[Served]
    writer: Writer
    people: list[Person]

    def start(self, program: Program) -> None:
        program.launch()
        wait_until(program.is_ready, what=f"{program.name} is ready")

    def start_worker(self, number: int) -> None:
        self.start(self.studio.workers[number])
        query = "select 1 from generation_modelstate where ready and name = %s"
        wait_until(lambda: self.studio.query(query, MODEL), what="the model is known")

    def cpu(self) -> Cpu:
        parts = {
            "web": [web.pid for web in self.webs if web.alive],
            "worker": [worker.pid for worker in self.studio.workers if worker.alive],
            "PostgreSQL": [postmaster(self.studio)],
            "Redis": [self.studio.redis.process.pid] if self.studio.redis.process else [],
        }
        return {name: sum(map(cpu_of_family, pids)) for name, pids in parts.items()}


@contextmanager
def loaded_site(
    webs: int,
    workers: int,
    people: int,
    *,
    servers: int = 1,
    replicas: int = REPLICAS,
    picture_seconds: float = SECONDS,
    **env: str,
) -> Iterator[LoadedSite]:
    """Stores, models, writer and the first web run; other webs and workers are not started yet.

    `servers`: model servers, each with `replicas`.
    """
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="liujuan-benchmark-")))
        options = ("--replicas", str(replicas), "--seconds", str(picture_seconds))
        models = [
            FixedModel(f"fixed-model-{number}", folder, *options) for number in range(servers)
        ]
        studio = Production(folder, webs=0, workers=workers)
        studio.env.update({**addresses(models), **env})
        studio.model = models[0]
        ends.callback(studio.stop)
        studio.start_stores()
        for model in models:
            ends.callback(model.kill)
            model.start()
        served = [Served(OURS, folder, studio.env) for _web in range(webs)]
        for web in served:
            ends.callback(web.kill)
        writer = Writer(studio.env)
        ends.callback(writer.close)
        site = LoadedSite(
            studio=studio,
            models=models,
            webs=served,
            writer=writer,
            people=writer.people(people),
        )
        site.start(site.webs[0])
        yield site


def addresses(models: list[FixedModel]) -> dict[str, str]:
    if len(models) == 1:
        return {"XINFERENCE_URL": models[0].url}
    named = (f"{model.name}={model.url}" for model in models)
    return {"XINFERENCE_URL": "", "XINFERENCE_URLS": ",".join(named)}


def postmaster(studio: Production) -> int:
    return int((studio.postgres.home / "data" / "postmaster.pid").read_text().split()[0])


def cpu_of_family(pid: int) -> float:
    """CPU seconds of a process and its children; a process may end meanwhile."""
    total = 0.0
    for each in family(pid):
        with suppress(OSError):
            total += cpu_seconds(each)
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """Seconds of each picture that was finished within the time, and CPU by part."""

    took: list[float]
    seconds: float
    cpu: Cpu

    @property
    def per_second(self) -> float:
        return len(self.took) / self.seconds


async def requesters(site: LoadedSite) -> list[SocketRequester]:
    """All people, connected to the first web."""

    async def one(number: int) -> SocketRequester:
        return SocketRequester(await site.webs[0].connect(site.people[number]))

    return await crowd(len(site.people), one)


async def request_at_rate(
    site: LoadedSite, free: list[SocketRequester], rate: float, seconds: float
) -> LoadResult:
    """Submit `rate` tasks a second, each from a client without a running task, if one is free."""
    took: list[float] = []
    pending: set[asyncio.Task[None]] = set()

    async def request_one(requester: SocketRequester) -> None:
        took.append(await requester.request())
        free.append(requester)

    watching = asyncio.create_task(watch(site, took, seconds))
    due = time.monotonic()
    while not watching.done():
        if free:
            pending.add(asyncio.create_task(request_one(free.pop(0))))
        due += 1 / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    await asyncio.gather(*pending)
    return watching.result()


async def request_continuously(
    site: LoadedSite,
    clients: list[SocketRequester],
    seconds: float,
    *,
    under_way: float = UNDER_WAY,
    spread: float = 0.0,
) -> LoadResult:
    """Every client submits its next task as soon as it has its picture.

    `spread`: seconds over which they begin, so that pictures do not end at the same moments.
    """
    took: list[float] = []
    watching = asyncio.create_task(watch(site, took, seconds, under_way=under_way))

    async def request_one(number: int, requester: SocketRequester) -> None:
        await asyncio.sleep(spread * number / len(clients))
        while not watching.done():
            took.append(await requester.request())

    await asyncio.gather(*(request_one(*each) for each in enumerate(clients)))
    return watching.result()


async def watch(
    site: LoadedSite, took: list[float], seconds: float, *, under_way: float = UNDER_WAY
) -> LoadResult:
    """The entries that are added to `took` after the warm-up."""
    await asyncio.sleep(under_way)
    known, before, began = len(took), site.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    used = {name: after - before[name] for name, after in site.cpu().items()}
    return LoadResult(took=took[known:], seconds=time.monotonic() - began, cpu=used)
