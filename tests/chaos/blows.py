"""The faults, done to real processes, and how long it then takes until everything is true again."""

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

from tests.chaos.people import Device
from tests.chaos.plan import Blow
from tests.contract.servers import children_of, is_painter
from tests.production import Production, Program, Web

RESTART_AFTER = 1.0
"""Seconds after which the supervisor starts what has died, as systemd would."""

LOOK = 0.1
PATIENCE = 120.0
FOR_WORK = 5.0


@dataclass(frozen=True, slots=True)
class Healed:
    """A blow, and the seconds from it (from its end, for an outage) until all was true again."""

    blow: Blow
    victim: str
    seconds: float | None


class Supervisor:
    """Starts again what has died; leaves alone what somebody holds down."""

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
            await asyncio.sleep(LOOK)


class Striker:
    def __init__(
        self,
        production: Production,
        supervisor: Supervisor,
        webs: list[Web],
        devices: list[Device],
        chance: random.Random,
    ) -> None:
        self.production = production
        self.supervisor = supervisor
        self.webs = webs
        self.devices = devices
        self.chance = chance
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.healed: list[Healed] = []

    async def strike(self, blow: Blow) -> None:
        await asyncio.sleep(blow.at)
        victim = self.victim(blow)
        async with self.locks[victim]:
            held = await self.at_work(victim) if blow.target == "worker" else {}
            began = monotonic()
            if await self.hit(blow, victim):
                began = monotonic()
            seconds = await self.until_true(held, began)
        self.healed.append(Healed(blow, victim, seconds))

    def victim(self, blow: Blow) -> str:
        if blow.target == "worker":
            return self.chance.choice(self.production.workers).name
        if blow.target == "web":
            # the one with most people at it
            visits = Counter(each.web.name for each in self.devices if each.web)
            return max(self.webs, key=lambda web: visits[web.name]).name
        return blow.target

    def program(self, name: str) -> Program:
        return next(each for each in self.production.programs if each.name == name)

    async def hit(self, blow: Blow, victim: str) -> bool:
        """Whether the fault was an outage that has ended now."""
        if blow.target == "postgres":
            mode = "fast" if blow.kind == "restart" else "immediate"
            await asyncio.to_thread(self.production.postgres.stop, mode)
            await asyncio.sleep(blow.seconds)
            await asyncio.to_thread(self.production.postgres.start)
            return True
        if blow.target == "redis":
            await asyncio.to_thread(self.production.redis.stop)
            await asyncio.sleep(blow.seconds)
            await asyncio.to_thread(self.production.redis.start)
            return True
        if blow.target == "painter":
            await self.kill_a_painter()
            return False
        return await self.hit_program(blow, self.program(victim))

    async def hit_program(self, blow: Blow, program: Program) -> bool:
        while not program.alive:
            await asyncio.sleep(LOOK)
        if blow.kind == "freeze":
            program.freeze()
            await asyncio.sleep(blow.seconds)
            program.thaw()
            return False
        if blow.seconds:
            self.supervisor.held.add(program.name)
        program.signal(signal.SIGTERM if blow.kind == "terminate" else signal.SIGKILL)
        if not blow.seconds:
            return False
        await asyncio.sleep(blow.seconds)
        self.supervisor.held.discard(program.name)
        return True

    async def kill_a_painter(self) -> None:
        """One of those that the model server has, as soon as it has one."""
        painters: list[int] = []
        while not painters:
            await asyncio.sleep(LOOK)
            model = self.production.model.process
            painters = [pid for pid in children_of(model.pid) if is_painter(pid)] if model else []
        os.kill(self.chance.choice(painters), signal.SIGKILL)

    async def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """From the database, as soon as it is there."""
        while True:
            try:
                return await asyncio.to_thread(self.production.query, sql, *values)
            except psycopg.OperationalError:
                await asyncio.sleep(LOOK)

    async def at_work(self, worker: str) -> dict[str, int]:
        """What this worker draws; waits a little until it does, so that the blow hurts."""
        end = monotonic() + FOR_WORK
        while not (held := await self.tasks_of(worker)) and monotonic() < end:
            await asyncio.sleep(LOOK)
        return held

    async def tasks_of(self, worker: str) -> dict[str, int]:
        """The running tasks of this worker, and the newest seq of each."""
        process = self.program(worker).process
        rows = await self.ask(
            "select task.id::text, task.newest_seq from generation_modelslot slot"
            " join generation_worker worker on worker.id = slot.worker_id"
            " join generation_generationtask task on task.id = slot.task_id"
            " where worker.pid = %s and worker.state != 'stopped' and task.status = 'running'",
            process.pid if process else 0,
        )
        return dict(rows)

    async def until_true(self, held: dict[str, int], began: float) -> float | None:
        """Seconds until the victim's tasks have a new event and nobody is behind the log."""
        before = dict(await self.ask("select id::text, newest_seq from generation_generationtask"))
        while monotonic() - began < PATIENCE:
            now = dict(await self.ask("select id::text, newest_seq from generation_generationtask"))
            moved = all(now[task_id] > seq for task_id, seq in held.items())
            if moved and self.nobody_is_behind(before):
                return monotonic() - began
            await asyncio.sleep(LOOK)
        return None

    def nobody_is_behind(self, newest: dict[str, int]) -> bool:
        return all(
            device.cursor(task_id) >= newest[task_id]
            for device in self.devices
            for task_id in list(device.seen)
            if task_id in newest
        )
