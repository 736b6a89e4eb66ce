"""Inject faults into real processes and measure the time to recovery."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter, defaultdict
from dataclasses import dataclass
from time import monotonic
from typing import Any

import psycopg

from tests.chaos.clients import Client
from tests.chaos.plan import Fault
from tests.contract.demo_process import children_of, is_painter
from tests.production import Production
from tests.programs import Program, Web

RESTART_AFTER = 1.0
"""Seconds until the supervisor restarts a dead program, as systemd would."""

POLL_EVERY = 0.1
PATIENCE = 120.0
WORK_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Recovery:
    """A fault, and the seconds from it (from its end, for an outage) to recovery."""

    fault: Fault
    target: str
    seconds: float | None


class Supervisor:
    """Restarts dead programs, except those in `held`."""

    def __init__(self, production: Production) -> None:
        self.production = production
        self.held: set[str] = set()
        self.restarts = 0

    async def watch(self) -> None:
        while True:
            for program in self.production.programs:
                if not program.alive and program.name not in self.held:
                    await asyncio.sleep(RESTART_AFTER)
                    program.launch()
                    self.restarts += 1
            await asyncio.sleep(POLL_EVERY)


class FaultInjector:
    def __init__(
        self,
        production: Production,
        supervisor: Supervisor,
        webs: list[Web],
        clients: list[Client],
        chance: random.Random,
    ) -> None:
        self.production = production
        self.supervisor = supervisor
        self.webs = webs
        self.clients = clients
        self.chance = chance
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.recoveries: list[Recovery] = []

    async def inject(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at)
        target = self.target(fault)
        async with self.locks[target]:
            held = await self.work_of(target) if fault.target == "worker" else {}
            began = monotonic()
            if await self.apply(fault, target):
                began = monotonic()
            seconds = await self.time_to_recover(held, began)
        self.recoveries.append(Recovery(fault, target, seconds))

    def target(self, fault: Fault) -> str:
        if fault.target == "worker":
            return self.chance.choice(self.production.workers).name
        if fault.target == "web":
            # the web with most clients
            visits = Counter(each.web.name for each in self.clients if each.web)
            return max(self.webs, key=lambda web: visits[web.name]).name
        return fault.target

    def program(self, name: str) -> Program:
        return next(each for each in self.production.programs if each.name == name)

    async def apply(self, fault: Fault, target: str) -> bool:
        """Apply the fault; whether it was an outage, which is over on return."""
        if fault.target == "postgres":
            mode = "fast" if fault.kind == "restart" else "immediate"
            await asyncio.to_thread(self.production.postgres.stop, mode)
            await asyncio.sleep(fault.seconds)
            await asyncio.to_thread(self.production.postgres.start)
            return True
        if fault.target == "redis":
            await asyncio.to_thread(self.production.redis.stop)
            await asyncio.sleep(fault.seconds)
            await asyncio.to_thread(self.production.redis.start)
            return True
        if fault.target == "painter":
            await self.kill_painter()
            return False
        return await self.apply_to_program(fault, self.program(target))

    async def apply_to_program(self, fault: Fault, program: Program) -> bool:
        while not program.alive:
            await asyncio.sleep(POLL_EVERY)
        if fault.kind == "freeze":
            program.freeze()
            await asyncio.sleep(fault.seconds)
            program.thaw()
            return False
        if fault.seconds:
            self.supervisor.held.add(program.name)
        program.signal(signal.SIGTERM if fault.kind == "terminate" else signal.SIGKILL)
        if not fault.seconds:
            return False
        await asyncio.sleep(fault.seconds)
        self.supervisor.held.discard(program.name)
        return True

    async def kill_painter(self) -> None:
        """Kill a painting process of the model server, as soon as there is one."""
        painters: list[int] = []
        while not painters:
            await asyncio.sleep(POLL_EVERY)
            models = [each.process for each in self.production.models.values()]
            children = [pid for model in models if model for pid in children_of(model.pid)]
            painters = [pid for pid in children if is_painter(pid)]
        os.kill(self.chance.choice(painters), signal.SIGKILL)

    async def request(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Query the database, and retry while it is down."""
        while True:
            try:
                return await asyncio.to_thread(self.production.query, sql, *values)
            except psycopg.OperationalError:
                await asyncio.sleep(POLL_EVERY)

    async def work_of(self, worker: str) -> dict[str, int]:
        """Tasks that this worker runs; waits up to WORK_TIMEOUT for one."""
        end = monotonic() + WORK_TIMEOUT
        while not (held := await self.tasks_of(worker)) and monotonic() < end:
            await asyncio.sleep(POLL_EVERY)
        return held

    async def tasks_of(self, worker: str) -> dict[str, int]:
        """The running tasks of this worker, and the newest seq of each."""
        process = self.program(worker).process
        rows = await self.request(
            "select task.id::text, task.newest_seq from generation_modelslot slot"
            " join generation_worker worker on worker.id = slot.worker_id"
            " join generation_generationtask task on task.id = slot.task_id"
            " where worker.pid = %s and worker.state != 'stopped' and task.status = 'running'",
            process.pid if process else 0,
        )
        return dict(rows)

    async def time_to_recover(self, held: dict[str, int], began: float) -> float | None:
        """Seconds until the target's tasks have a new event and no client is behind the log."""
        before = dict(
            await self.request("select id::text, newest_seq from generation_generationtask")
        )
        while monotonic() - began < PATIENCE:
            now = dict(
                await self.request("select id::text, newest_seq from generation_generationtask")
            )
            moved = all(now[task_id] > seq for task_id, seq in held.items())
            if moved and self.no_client_is_behind(before):
                return monotonic() - began
            await asyncio.sleep(POLL_EVERY)
        return None

    def no_client_is_behind(self, newest: dict[str, int]) -> bool:
        return all(
            client.cursor(task_id) >= newest[task_id]
            for client in self.clients
            for task_id in list(client.seen)
            if task_id in newest
        )
