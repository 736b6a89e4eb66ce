"""A whole installation whose webs and workers are started one by one, and what each part uses."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lib.process_stats import cpu_seconds, family
from benchmarks.lib.socket_client import crowd, dial
from benchmarks.lib.systems import FixedModel, SocketAsker
from benchmarks.lib.testbed import OURS, Person, Served, Writer
from tests.production import MODEL, Production, Program
from tests.studio import wait_until

REPLICAS = 64
"""More than people ask at once: the model is never what is waited for."""

UNDER_WAY = 2.0
"""Seconds after which the first pictures are there; what was before does not count."""

Cpu = dict[str, float]
"""Seconds, by part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdedSite:
    studio: Production
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
            "worker": [pid_of(worker) for worker in self.studio.workers if worker.alive],
            "PostgreSQL": [postmaster(self.studio)],
            "Redis": [self.studio.redis.process.pid] if self.studio.redis.process else [],
        }
        return {name: sum(map(cpu_of_family, pids)) for name, pids in parts.items()}


@contextmanager
def crowded_site(webs: int, workers: int, people: int) -> Iterator[CrowdedSite]:
    """The stores, the model, a writer and the first web run; nothing else does yet."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="liujuan-benchmark-")))
        model = FixedModel("fixed-model", folder, "--replicas", str(REPLICAS))
        studio = Production(folder, webs=0, workers=workers, XINFERENCE_URL=model.url)
        studio.model = model
        ends.callback(studio.stop)
        studio.postgres.start()
        studio.redis.start()
        studio.manage("migrate", "-v", "0")
        model.start()
        served = [Served(OURS, folder, studio.env) for _web in range(webs)]
        for web in served:
            ends.callback(web.kill)
        writer = Writer(studio.env)
        ends.callback(writer.close)
        site = CrowdedSite(studio=studio, webs=served, writer=writer, people=writer.people(people))
        site.start(site.webs[0])
        yield site


def pid_of(program: Program) -> int:
    assert program.process is not None
    return program.process.pid


def postmaster(studio: Production) -> int:
    return int((studio.postgres.home / "data" / "postmaster.pid").read_text().split()[0])


def cpu_of_family(pid: int) -> float:
    """Of those that live; a process may end while it is looked at."""
    total = 0.0
    for each in family(pid):
        with suppress(OSError):
            total += cpu_seconds(each)
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What came back within the time: seconds each picture took, and CPU by part."""

    took: list[float]
    seconds: float
    cpu: Cpu

    @property
    def per_second(self) -> float:
        return len(self.took) / self.seconds


async def askers(site: CrowdedSite) -> list[SocketAsker]:
    """Everybody at the first web, greeted."""

    async def one(number: int) -> SocketAsker:
        client = await dial(site.webs[0].port, OURS.headers(site.people[number]))
        greeted = client.heard(b'"hello"')
        await client.opened
        await greeted
        return SocketAsker(client)

    return await crowd(len(site.people), one)


async def ask_at(site: CrowdedSite, free: list[SocketAsker], rate: float, seconds: float) -> Course:
    """So many new tasks a second, each by somebody who has none under way, if there is anybody."""
    took: list[float] = []
    asking: set[asyncio.Task[None]] = set()

    async def ask(asker: SocketAsker) -> None:
        took.append(await asker.ask())
        free.append(asker)

    watching = asyncio.create_task(watch(site, took, seconds))
    due = time.monotonic()
    while not watching.done():
        if free:
            asking.add(asyncio.create_task(ask(free.pop(0))))
        due += 1 / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    await asyncio.gather(*asking)
    return watching.result()


async def ask_all_the_time(
    site: CrowdedSite, all_of_them: list[SocketAsker], seconds: float
) -> Course:
    """Everybody asks anew as soon as he has his picture."""
    took: list[float] = []
    watching = asyncio.create_task(watch(site, took, seconds))

    async def ask(asker: SocketAsker) -> None:
        while not watching.done():
            took.append(await asker.ask())

    await asyncio.gather(*(ask(asker) for asker in all_of_them))
    return watching.result()


async def watch(site: CrowdedSite, took: list[float], seconds: float) -> Course:
    """What is added to `took` once all is under way."""
    await asyncio.sleep(UNDER_WAY)
    known, before, began = len(took), site.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    used = {name: after - before[name] for name, after in site.cpu().items()}
    return Course(took=took[known:], seconds=time.monotonic() - began, cpu=used)
