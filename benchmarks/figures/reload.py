"""Figure 10: time until a reloaded page is up to date."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from statistics import median

from benchmarks.lib.process_stats import cpu_seconds
from benchmarks.lib.report import Goal, Report, Table, percentile, ratio_goal, ratios, spread
from benchmarks.lib.socket_client import Client, dial
from benchmarks.lib.testbed import OURS, Person, Served, Side, Testbed

BARE = Side("bare Daphne and a SELECT", "benchmarks.servers.bare_log:application")
EVENTS = 100
GOAL_RATIO = 2.0
GOAL_P99_MS = 25.0
GOAL_CROWD_S = 1.0
Numbers = dict[str, list[float]]


def measure(quick: bool) -> Report:
    """A browser's reload: session cookie and Origin, `attach` after `hello`."""
    rounds, reloads, crowd = (1, 5, 10) if quick else (7, 60, 200)
    with Testbed() as testbed:
        people = testbed.writer.people(1 if quick else 20)
        tasks = {person.name: testbed.writer.task(person) for person in people}
        for task in tasks.values():
            testbed.writer.events(task, EVENTS)
        with testbed.serving(OURS) as ours, testbed.serving(BARE) as bare:
            setup = Setup({OURS.name: ours, BARE.name: bare}, people, tasks)
            asyncio.run(setup.run_rounds(rounds, reloads, crowd))
    return report(setup, rounds, reloads, crowd)


class Setup:
    """Milliseconds of every reload alone, one list per round; seconds of each crowd."""

    def __init__(
        self, sides: Mapping[str, Served], people: list[Person], tasks: Mapping[str, str]
    ) -> None:
        self.sides = sides
        self.people = people
        self.tasks = tasks
        self.alone: dict[str, list[list[float]]] = {name: [] for name in sides}
        self.crowds: Numbers = {name: [] for name in sides}
        self.processor: Numbers = {name: [] for name in sides}
        """CPU milliseconds of the server per reload of a crowd, its end included."""

    async def run_rounds(self, rounds: int, reloads: int, crowd: int) -> None:
        """Sides reload in turn; the first round is a warm-up."""
        for number in range(rounds + 1):
            took: Numbers = {name: [] for name in self.sides}
            for count in range(reloads):
                for name in self.in_turn(count):
                    took[name].append(await self.one(name, count) * 1e3)
            crowds = {name: await self.crowd(name, crowd) for name in self.in_turn(number)}
            for name in self.sides if number else ():
                self.alone[name].append(took[name])
                self.crowds[name].append(crowds[name])

    def in_turn(self, number: int) -> list[str]:
        return sorted(self.sides, reverse=bool(number % 2))

    async def one(self, name: str, number: int) -> float:
        """Seconds of one reload, alone."""
        client, took = await self.reload(name, number)
        client.transport.close()
        await client.closed
        return took

    async def crowd(self, name: str, size: int) -> float:
        """Seconds until the last of `size` concurrent reloads is complete."""
        pid = self.sides[name].pid
        worked, began = cpu_seconds(pid), time.perf_counter()
        done = await asyncio.gather(*(self.reload(name, number) for number in range(size)))
        took = time.perf_counter() - began
        for client, _alone in done:
            client.transport.close()
        await asyncio.gather(*(client.closed for client, _alone in done))
        self.processor[name].append((cpu_seconds(pid) - worked) / size * 1e3)
        return took

    async def reload(self, name: str, number: int) -> tuple[Client, float]:
        """(the socket, seconds from before it was opened until the last event)."""
        person = self.people[number % len(self.people)]
        served, task = self.sides[name], self.tasks[person.name]
        origin = f"http://127.0.0.1:{served.port}"
        began = time.perf_counter()
        client = await dial(served.port, {"Cookie": person.session, "Origin": origin})
        frames = 0

        def count(text: bytes) -> None:
            nonlocal frames
            frames += b'"kind"' in text

        client.on_text = count
        greeted, live = client.next_text(b'"hello"'), client.next_text(b'"live"')
        await client.opened
        await greeted
        client.send(action="attach", task_id=task, after=self.newest - EVENTS)
        await live
        took = time.perf_counter() - began
        assert frames == EVENTS, f"{name}: {frames} events"
        return client, took

    newest = EVENTS + 3
    """Submitted, claimed and one step, before the writer's events."""


def report(setup: Setup, rounds: int, reloads: int, crowd: int) -> Report:
    ours = [took for each in setup.alone[OURS.name] for took in each]
    slower = ratios(*(medians(setup, name) for name in (OURS.name, BARE.name)))
    columns = ("side", "ms, median", "ms, p99", "× bare", f"{crowd} at once, s", "× bare")
    return Report(
        title="Reload",
        how=f"From opening a socket with a session's cookie until the last of {EVENTS} events is "
        f"there: handshake, greeting, `attach`, replay, `live`. {rounds} rounds of {reloads} "
        f"reloads one after another, sides in turn, then {crowd} at once; median of the rounds "
        "(lowest to highest), p99 over all reloads of a side. The bare side does not authenticate "
        "and reads the rows over one connection to PostgreSQL.",
        tables=[Table(columns=columns, rows=[row(setup, name) for name in setup.sides])],
        goals=[
            ratio_goal(
                f"at most {GOAL_RATIO:.0f} × a bare connection and SELECT", slower, most=GOAL_RATIO
            ),
            Goal(
                wanted=f"p99 at most {GOAL_P99_MS:.0f} ms",
                measured=f"{percentile(ours, 0.99):.1f} ms",
                met=percentile(ours, 0.99) <= GOAL_P99_MS,
            ),
            Goal(
                wanted=f"{crowd} at once within {GOAL_CROWD_S:.0f} s",
                measured=f"{spread(setup.crowds[OURS.name])} s",
                met=median(setup.crowds[OURS.name]) <= GOAL_CROWD_S,
            ),
        ],
        notes=notes(setup, crowd),
    )


def notes(setup: Setup, crowd: int) -> list[str]:
    """Explains a missed goal."""
    alone = {name: median(medians(setup, name)) for name in setup.sides}
    works = {name: median(setup.processor[name]) for name in setup.sides}
    return [
        f"{alone[BARE.name]:.1f} ms of one reload are the floor: handshake, frames and one "
        f"query. The other {alone[OURS.name] - alone[BARE.name]:.1f} ms are four more "
        "queries (session, account, unfinished tasks, the task), two switches to the database "
        "thread, and Channels between Daphne and the hub.",
        f"{crowd} at once share the one core of a process: ours works {works[OURS.name]:.1f} ms "
        f"for each, which is {works[OURS.name] * crowd / 1e3:.2f} s of them together; the bare "
        f"side {works[BARE.name]:.1f} ms. Its backlog is 50 connections; the others retry "
        "after a second.",
    ]


def medians(setup: Setup, name: str) -> list[float]:
    return [median(took) for took in setup.alone[name]]


def row(setup: Setup, name: str) -> list[str]:
    every = [took for each in setup.alone[name] for took in each]
    return [
        name,
        spread(medians(setup, name), 1),
        f"{percentile(every, 0.99):.1f}",
        spread(ratios(medians(setup, name), medians(setup, BARE.name))),
        spread(setup.crowds[name]),
        spread(ratios(setup.crowds[name], setup.crowds[BARE.name])),
    ]
