"""Figure 8: events that watchers miss during faults, and the delay of the last watcher."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.lib.followers import Followers, Tally
from benchmarks.lib.report import Goal, Report, Table, spread
from benchmarks.lib.systems import FixedModel
from benchmarks.lib.testbed import OURS, STOCK, Person, Served, Writer
from tests.production import Production
from tests.programs import RunWorker
from tests.studio import wait_until

SIDES = (OURS, STOCK)
PER_SECOND = 20.0
REDIS_AWAY = 1.0
BEFORE, AFTER = 0.5, 1.5
"""Seconds of events around a fault."""

LEASE = "4"
HEALED_WITHIN = 10.0

Tallies = dict[str, Tally]
"""By side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    studio: Production
    webs: dict[str, list[Served]]
    writer: Writer
    person: Person
    tasks: list[str]
    burst: int
    crowds: dict[str, Followers] = field(default_factory=dict)

    def newest(self, task: str) -> int:
        query = "select newest_seq from generation_generationtask where id = %s"
        newest: int = self.studio.query(query, task)[0][0]
        return newest


def measure(quick: bool) -> Report:
    watchers, burst, rounds = (10, 50, 1) if quick else (200, 500, 3)
    with site() as (studio, webs, writer):
        (person,) = writer.people(1)
        # all of them now: registering our own model hides the model of the workers
        tasks = [writer.task(person) for _each in range((len(FAULTS) + 1) * rounds)]
        wait_until(lambda: workers_ready(studio), what="the workers have seen the model")
        setup = Setup(
            studio=studio, webs=webs, writer=writer, person=person, tasks=tasks, burst=burst
        )
        tallies_by_fault = asyncio.run(run_rounds(setup, watchers, rounds))
    return report(tallies_by_fault, watchers, burst, rounds)


@contextmanager
def site() -> Iterator[tuple[Production, dict[str, list[Served]], Writer]]:
    """Two webs of each side on the same stores, two workers, and the fixed-time model."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="liujuan-benchmark-")))
        model = FixedModel("fixed-model", folder, "--replicas", "2")
        studio = Production(
            folder, webs=0, workers=2, XINFERENCE_URL=model.url, GENERATION_LEASE=LEASE
        )
        studio.model = model
        ends.callback(studio.stop)
        studio.start_stores()
        webs = {
            side.name: [Served(side, folder, studio.env) for _two in range(2)] for side in SIDES
        }
        served = [web for both in webs.values() for web in both]
        for program in (model, *studio.workers, *served):
            ends.callback(program.kill)
            program.launch()
        for program in (model, *studio.workers, *served):
            wait_until(program.is_ready, what=f"{program.name} is ready")
        # it will log that broadcasts were lost
        log = ends.enter_context((folder / "writer.log").open("w"))
        writer = Writer({**studio.env, "GENERATION_LEASE": "60"}, log)
        ends.callback(writer.close)
        yield studio, webs, writer


def workers_ready(studio: Production) -> bool:
    return bool(studio.query("select 1 from generation_modelstate where ready and replicas = 2"))


async def run_rounds(setup: Setup, watchers: int, rounds: int) -> dict[str, list[Tallies]]:
    for side in SIDES:
        ports = [web.port for web in setup.webs[side.name]]
        setup.crowds[side.name] = Followers(ports, side.headers(setup.person), watchers)
    tallies_by_fault: dict[str, list[Tallies]] = defaultdict(list)
    for number in range(rounds):
        for name, fault in FAULTS.items():
            tallies_by_fault[name].append(await fault(setup, number))
        if number == 0:
            setup.crowds.pop(STOCK.name).stop()
    for each in setup.crowds.values():
        each.stop()
    return tallies_by_fault


async def burst(setup: Setup, number: int) -> Tallies:
    """Publish one burst on each side in turn."""
    tallies = {}
    for name, watchers in setup.crowds.items():
        task = setup.tasks.pop()
        await watchers.follow(task)
        result = await asyncio.to_thread(
            setup.writer.call, "publish", task=task, count=setup.burst, per_second=0.0
        )
        committed = result["published"][-1][1] / 1e9 - time.monotonic() + time.time()
        newest = setup.newest(task)
        await watchers.settle(newest)
        tallies[name] = watchers.tally(newest, committed)
    return tallies


@asynccontextmanager
async def flowing(setup: Setup) -> AsyncIterator[str]:
    """A flow of events of a task that all watch, before, during and after the body."""
    task = setup.tasks.pop()
    await asyncio.gather(*(each.follow(task) for each in setup.crowds.values()))
    await asyncio.to_thread(setup.writer.call, "flow", tasks=[task], per_second=PER_SECOND)
    await asyncio.sleep(BEFORE)
    yield task
    await asyncio.sleep(AFTER)
    await asyncio.to_thread(setup.writer.call, "stop")


async def settled(setup: Setup, task: str) -> Tallies:
    newest = setup.newest(task)
    await asyncio.gather(*(each.settle(newest) for each in setup.crowds.values()))
    return {name: each.tally(newest) for name, each in setup.crowds.items()}


async def redis_restarts(setup: Setup, number: int) -> Tallies:
    async with flowing(setup) as task:
        await asyncio.to_thread(setup.studio.redis.stop)
        await asyncio.sleep(REDIS_AWAY)
        await asyncio.to_thread(setup.studio.redis.start)
    return await settled(setup, task)


async def web_stopped(setup: Setup, number: int) -> Tallies:
    """Stop the web that all are connected to; restart it once they use the other one."""
    leaving = [setup.webs[name][each.all[0].port_index] for name, each in setup.crowds.items()]
    async with flowing(setup) as task:
        await asyncio.gather(*(asyncio.to_thread(web.stop) for web in leaving))
    tallies = await settled(setup, task)
    for web in leaving:
        web.launch()
    await asyncio.to_thread(lambda: [wait_until(web.is_ready, what=web.name) for web in leaving])
    return tallies


async def worker_killed(setup: Setup, number: int) -> Tallies:
    """Kill the worker during four pictures; the other worker makes the missing ones."""
    web = setup.webs[OURS.name][setup.crowds[OURS.name].all[0].port_index]
    requester = await web.connect(setup.person)
    accepted, ended = requester.next_text(b'"ack"'), requester.next_text(b'"result"')
    requester.send(action="generate", prompt="LiuJuan", n=4)
    task = (await accepted).partition(b'"task_id":"')[2].partition(b'"')[0].decode()
    await asyncio.gather(*(each.follow(task) for each in setup.crowds.values()))
    await asyncio.sleep(random.uniform(0, 1))
    worker = worker_of(setup.studio, task)
    worker.kill()
    await asyncio.to_thread(worker.start)
    await ended
    requester.transport.close()
    return await settled(setup, task)


def worker_of(studio: Production, task: str) -> RunWorker:
    """The worker that runs the task, or any if the task has ended."""
    query = (
        "select w.pid from generation_modelslot s join generation_worker w on s.worker_id = w.id"
        " where s.task_id = %s"
    )
    drawing = {pid for (pid,) in studio.query(query, task)}
    found = [each for each in studio.workers if each.process and each.process.pid in drawing]
    return [*found, *studio.workers][0]


FAULTS: dict[str, Callable[[Setup, int], Awaitable[Tallies]]] = {
    "burst": burst,
    "Redis is gone for a second": redis_restarts,
    "the worker is killed": worker_killed,
    "the web is stopped": web_stopped,
}


def report(
    tallies_by_fault: dict[str, list[Tallies]], watchers: int, burst: int, rounds: int
) -> Report:
    rows = [row(fault, side.name, tallies_by_fault[fault]) for fault in FAULTS for side in SIDES]
    ours = [each[OURS.name] for tallies in tallies_by_fault.values() for each in tallies]
    lost, twice = sum(each.missing for each in ours), sum(each.doubled for each in ours)
    latest = max(each.latest for each in ours)
    return Report(
        title="Lost events",
        how=f"{watchers} watchers of one task on each side, on the same log and layer, which "
        f"reconnect with their cursor. A burst of {burst} events in one "
        f"transaction; Redis killed and started again after {REDIS_AWAY:.0f} s, and the web "
        f"stopped by SIGTERM beside another one, both among {PER_SECOND:.0f} events a second; the "
        f"worker killed by SIGKILL during a task, with a lease of {LEASE} s. {rounds} rounds; the "
        "stock side one, because its lost events never arrive. Latest: from when "
        "an event was written until the last watcher had it; events that never came do not count "
        "there. Median (lowest to highest).",
        tables=[
            Table(
                columns=("fault", "side", "deliveries due", "missing", "doubled", "latest, s"),
                rows=rows,
            )
        ],
        goals=[
            Goal(
                wanted="no event missing or doubled",
                measured=f"{lost} missing, {twice} doubled",
                met=lost == twice == 0,
            ),
            Goal(
                wanted=f"healed within {HEALED_WITHIN:.0f} s",
                measured=f"{latest:.1f} s at most",
                met=lost == 0 and latest <= HEALED_WITHIN,
            ),
        ],
    )


def row(fault: str, side: str, rounds: list[Tallies]) -> list[str]:
    tallies = [each[side] for each in rounds if side in each]
    due, missing = sum(each.expected for each in tallies), sum(each.missing for each in tallies)
    return [
        fault,
        side,
        f"{due:,}",
        f"{missing:,} ({missing / due:.1%})",
        f"{sum(each.doubled for each in tallies):,}",
        spread([each.latest for each in tallies]),
    ]
