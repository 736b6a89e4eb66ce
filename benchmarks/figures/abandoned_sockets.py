"""Figure 5: what thousands of connections leave behind that were torn off in the middle."""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
from dataclasses import dataclass, field, replace

from benchmarks.lib.process_stats import memory, open_files
from benchmarks.lib.report import Goal, Report, Table
from benchmarks.lib.socket_client import Client, Refused, crowd, dial
from benchmarks.lib.testbed import OURS, STOCK, Person, Served, Side, Stand

PEOPLE = 10
AT_ONCE = 40
EVENTS_PER_SECOND = 100.0
DRAW_EVERY = 2.0
SETTLED_AFTER = 12.0
"""Seconds in which what ends slowly has ended; Daphne itself takes up to ten."""

LINGER = 65.0
"""Seconds after which the hub has left the groups that nobody needs."""

STOCK_SHARE = 5
"""The stock side gets one connection in so many: what it leaves behind, every one shows."""

CYCLES = int(os.environ.get("CYCLES", "2000"))
"""Of one round. A count that grows at all fails; more of them find what is rarer."""

KEPT_BYTES = 256
"""A socket that is kept costs a hundred times that; so much is noise of the allocator."""

Counts = dict[str, int]
SEQ = re.compile(rb'"seq":(\d+)')
REPLAYED = 50
"""Events that an attach reads from the log, however long that has become."""

MOMENTS = ("handshake", "greeting", "attaching", "replay", "live")
"""In what a client is torn off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    people: list[Person]
    tasks: list[str]
    cycles: int
    settle: float
    linger: float
    newest: dict[str, int] = field(default_factory=dict)

    def remember(self, task: str, text: bytes) -> None:
        match = SEQ.search(text)
        if match:
            self.newest[task] = max(int(match[1]), self.newest.get(task, REPLAYED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Counts after the warm-up, after each round and after the groups' linger; events written."""

    cycles: int
    counts: list[Counts]
    events: int
    seconds: float


def measure(quick: bool) -> Report:
    cycles, settle, linger = (60, 1.0, 1.0) if quick else (CYCLES, SETTLED_AFTER, LINGER)
    with Stand(drawing=True) as stand:
        people = stand.writer.people(PEOPLE)
        tasks = [stand.writer.task(person) for person in people]
        scene = Scene(people=people, tasks=tasks, cycles=cycles, settle=settle, linger=linger)
        fewer = max(1, cycles // STOCK_SHARE)
        courses = {}
        for side, played in ((OURS, scene), (STOCK, replace(scene, cycles=fewer, linger=0.0))):
            with stand.serving(side) as served:
                courses[side.name] = asyncio.run(course(stand, served, played))
    return report(courses, scene)


async def course(stand: Stand, served: Served, scene: Scene) -> Course:
    """A warm-up and two rounds; what grew from the first round to the second grows for ever."""
    counts, events, began = [], 0, time.monotonic()
    for cycles in (scene.cycles // 5, scene.cycles, scene.cycles):
        with stand.writer.flow(scene.tasks, EVENTS_PER_SECOND) as told:
            drawing = asyncio.create_task(keep_drawing(stand, scene.people[0]))
            await crowd(cycles, lambda number: cycle(served, scene, number), at_once=AT_ONCE)
            drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)
        events += told["written"]
        await asyncio.sleep(scene.settle)
        counts.append(counted(stand, served))
    seconds = time.monotonic() - began
    await asyncio.sleep(scene.linger)
    counts.append(counted(stand, served))
    return Course(cycles=scene.cycles, counts=counts, events=events, seconds=seconds)


async def keep_drawing(stand: Stand, person: Person) -> None:
    while True:
        stand.writer.draw(person)
        await asyncio.sleep(DRAW_EVERY)


async def cycle(served: Served, scene: Scene, number: int) -> None:
    """Go as far as one moment, wait a little and be torn off."""
    turn = number % len(scene.people)
    person, task = scene.people[turn], scene.tasks[turn]
    client = await dial(served.port, served.side.headers(person))
    try:
        await go_on(client, scene, task, random.choice(MOMENTS))
        await asyncio.sleep(random.uniform(0, 0.05))
    except (Refused, asyncio.CancelledError):
        if not client.closed.done():
            raise
    finally:
        client.reset()


async def go_on(client: Client, scene: Scene, task: str, moment: str) -> None:
    greeted, live, event = (client.heard(part) for part in (b'"hello"', b'"live"', b'"kind"'))
    if moment == "handshake":
        return
    await client.opened
    if moment == "greeting":
        return
    await greeted
    client.on_text = lambda text: scene.remember(task, text)
    client.send(action="attach", task_id=task, after=scene.newest.get(task, REPLAYED) - REPLAYED)
    if moment == "attaching":
        return
    await (event if moment == "replay" else live)


def counted(stand: Stand, served: Served) -> Counts:
    figures = served.figures()
    return {
        "Redis channels subscribed to": stand.subscriptions(),
        "open files": open_files(served.pid),
        **figures,
        "RSS, KiB": memory(served.pid).rss,
    }


def report(courses: dict[str, Course], scene: Scene) -> Report:
    ours, stock = courses[OURS.name], courses[STOCK.name]
    grown = growth(ours)
    memory_kept = grown.pop("RSS, KiB") * 1024 / scene.cycles
    kept = {name: value for name, value in grown.items() if value > 0}
    measured = ", ".join(f"{name} {value:+}" for name, value in kept.items()) or "no count grew"
    return Report(
        title="Abandoned sockets",
        how=f"{scene.cycles:,} connections a round, {AT_ONCE} at once, each reset (RST) at a "
        f"random moment: {', '.join(MOMENTS)}. Meanwhile {EVENTS_PER_SECOND:.0f} events a second "
        f"for {PEOPLE} people's running tasks, and pictures are drawn. Two rounds after a warm-up, "
        f"counted {scene.settle:.0f} s after each and, on our side, once more {scene.linger:.0f} s "
        f"later. The stock side gets {courses[STOCK.name].cycles:,} a round.",
        tables=[table(side, courses[side.name]) for side in (OURS, STOCK)],
        goals=[
            Goal(
                wanted="no count grows from round 1 to round 2",
                measured=measured,
                met=not kept,
            ),
            Goal(
                wanted=f"memory grows by less than {KEPT_BYTES} bytes per connection",
                measured=f"{memory_kept:.0f} bytes",
                met=memory_kept < KEPT_BYTES,
            ),
        ],
        notes=[
            f"{side.name}: {course.events:,} events written in {course.seconds:.0f} s."
            for side, course in ((OURS, ours), (STOCK, stock))
        ],
    )


def growth(course: Course) -> Counts:
    _warm, first, second, _later = course.counts
    return {name: second[name] - first[name] for name in second}


def table(side: Side, course: Course) -> Table:
    columns = ["warmed up", "round 1", "round 2", "later"]
    rows = [
        [name, *(f"{counts[name]:,}" for counts in course.counts), f"{value / course.cycles:.4f}"]
        for name, value in growth(course).items()
    ]
    return Table(columns=[side.name, *columns, "growth per connection"], rows=rows)
