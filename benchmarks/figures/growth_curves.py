"""The curves of the growth figure: one thing grows at a time, everything else stays small."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import claims, fan_out
from benchmarks.figures.big_pages import PAGES, Visit
from benchmarks.lib.curves import Curve
from benchmarks.lib.databases import Database, new_database, prepared
from benchmarks.lib.listeners import Listeners, Place
from benchmarks.lib.loaded_site import (
    Course,
    Cpu,
    CrowdedSite,
    ask_all_the_time,
    ask_at,
    askers,
)
from tests.production import Postgres

SHARE_OF_GALLERY = 10
"""One task in so many is the person's whose gallery is looked at."""

TAIL = 10
MODEL_SECONDS = 1.0
LEAST_MS = 0.1
"""The logarithm of nothing is nothing to draw."""

PER_SECOND = 20.0
AT_ONCE = 500
"""Events in one transaction; beyond a thousand their doorbells are dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    rounds: int
    lines: list[int]
    logs: list[int]
    galleries: list[int]
    watchers: list[int]
    rates: list[int]
    processes: list[int]
    people: int
    seconds: float
    events: int


QUICK = Size(
    rounds=1,
    lines=[100, 1_000],
    logs=[20, 50],
    galleries=[100, 200],
    watchers=[2, 10],
    rates=[1, 3],
    processes=[1, 2],
    people=5,
    seconds=1.0,
    events=5,
)
WHOLE = Size(
    rounds=5,
    lines=[1_000, 3_000, 10_000, 30_000, 100_000],
    logs=[30, 100, 300, 1_000, 3_000],
    galleries=[100, 1_000, 10_000, 100_000],
    watchers=[1, 3, 10, 30, 100, 300, 1_000],
    rates=[1, 2, 4, 8, 16, 24],
    processes=[1, 2, 3, 4],
    people=60,
    seconds=6.0,
    events=40,
)


def lengths_of_lines(size: Size) -> list[Curve]:
    with postgres("line") as (database,):
        told = database.run(
            "measure_claims", sizes=size.lines, owners=claims.PEOPLE, rounds=size.rounds, claims=3
        )
    took = {int(length): each for length, each in told["milliseconds"].items()}
    return [
        Curve(
            name=name,
            size="tasks in line",
            measured=f"ms for {what}",
            points={length: each[part] for length, each in took.items()},
            ideal=0,
        )
        for name, part, what in (
            ("a claim", claims.CLAIM, "one claim"),
            ("places in line", claims.PLACES, "the places of 1,000 tasks"),
        )
    ]


def sizes_of_galleries(size: Size) -> Curve:
    page = next(page for page in PAGES if page.name == "gallery")
    points: dict[int, list[float]] = {}
    with postgres(*(f"gallery_{count}" for count in size.galleries)) as databases:
        for count, database in zip(size.galleries, databases, strict=True):
            # the page asserts how many pictures it shows: there must be as many
            told = database.run("fill_big_pages", tasks=count * SHARE_OF_GALLERY)
            with Visit.to(database, told) as visit:
                for _warm_up in range(size.rounds):
                    visit.see(page)
                points[count] = [visit.see(page) for _round in range(size.rounds)]
    return Curve(
        name="the gallery",
        size="pictures of one person",
        measured="ms for the first page",
        points=points,
        ideal=0,
    )


@contextmanager
def postgres(*purposes: str) -> Iterator[list[Database]]:
    """One database for each."""
    with tempfile.TemporaryDirectory(prefix="liujuan-benchmark-") as name:
        folder = Path(name)
        server = Postgres(folder)
        try:
            server.start()
            yield [
                prepared(each, folder / each, DATABASE_URL=new_database(server, each))
                for each in purposes
            ]
        finally:
            server.stop("immediate")


def lengths_of_logs(site: CrowdedSite, size: Size) -> list[Curve]:
    """A page that attaches, from nothing and from just before the end."""
    whole: dict[int, list[float]] = {}
    tail: dict[int, list[float]] = {}
    for length in size.logs:
        task = site.writer.task(site.people[0])
        newest = written(site, task, length)
        for points, after in ((whole, 0), (tail, newest - TAIL)):
            asyncio.run(attach(site, task, after))
            points[length] = [asyncio.run(attach(site, task, after)) for _ in range(size.rounds)]
    return [
        Curve(
            name=name,
            size="events of the task",
            measured="ms from attach to live",
            points=points,
            ideal=ideal,
        )
        for name, points, ideal in (("a whole replay", whole, 1), ("a replay tail", tail, 0))
    ]


def written(site: CrowdedSite, task: str, length: int) -> int:
    """Events up to that length, the newest seq; no more at once than doorbells may wait."""
    newest = 0
    while newest < length:
        count = min(AT_ONCE, length - newest)
        told = site.writer.ask("publish", task=task, count=count, per_second=0.0)
        newest = told["published"][-1][0]
    return newest


async def attach(site: CrowdedSite, task: str, after: int) -> float:
    client = await site.webs[0].connect(site.people[0])
    live = client.heard(b'"live"')
    began = time.perf_counter()
    client.send(action="attach", task_id=task, after=after)
    await live
    took = (time.perf_counter() - began) * 1e3
    client.transport.close()
    return took


def numbers_of_watchers(
    site: CrowdedSite, audience: Listeners, size: Size
) -> tuple[Curve, Cpu, int]:
    """Milliseconds from a commit until the last of them has it; the CPU of the largest crowd."""
    points: dict[int, list[float]] = {}
    for count in size.watchers:
        task, group = site.writer.task(site.people[0]), f"{count} watchers"
        audience.attach(group, place(site, 0, task), count)
        publish = stored(site, task)
        fan_out.hear(audience, group, lambda p=publish: p(2, PER_SECOND))  # type: ignore[misc]
        before = site.cpu()
        published, arrived = fan_out.hear(
            audience,
            group,
            lambda p=publish: p(size.events, PER_SECOND),  # type: ignore[misc]
        )
        telling = {name: after - before[name] for name, after in site.cpu().items()}
        told = dict(published)
        last: dict[int, int] = {}
        for seq, stamp in (each for arrivals in arrived for each in arrivals):
            last[seq] = max(stamp, last.get(seq, 0))
        points[count] = [(stamp - told[seq]) / 1e6 for seq, stamp in last.items()]
    curve = Curve(
        name="watchers",
        size="watchers of one task",
        measured="ms until the last of them is told",
        points=points,
        ideal=0,
    )
    return curve, telling, size.events * count


def stored(site: CrowdedSite, task: str) -> fan_out.Publish:
    def publish(count: int, per_second: float) -> fan_out.Published:
        told = site.writer.ask("publish", task=task, count=count, per_second=per_second)
        return [(seq, stamp) for seq, stamp in told["published"]]

    return publish


def place(site: CrowdedSite, web: int, task: str) -> Place:
    headers = site.webs[web].side.headers(site.people[0])
    return Place(port=site.webs[web].port, headers=headers, task=task)


def numbers_of_webs(site: CrowdedSite, audience: Listeners, size: Size) -> Curve:
    """The same crowd at one web, then at two, …: deliveries per second of a burst."""
    points: dict[int, list[float]] = {}
    crowd = size.watchers[-1] // 5 or 1
    for count in size.processes:
        if count > 1:
            site.start(site.webs[count - 1])
        task = site.writer.task(site.people[0])
        groups = [f"{number + 1} of {count} webs" for number in range(count)]
        for number, group in enumerate(groups):
            audience.attach(group, place(site, number, task), max(2, crowd // count))
        publish = stored(site, task)
        rates = [burst(audience, groups, publish, size) for _round in range(size.rounds + 1)]
        points[count] = rates[1:]
    return Curve(
        name="webs",
        size="web processes",
        measured="deliveries per second",
        points=points,
        ideal=1,
        is_gain=True,
    )


def burst(
    audience: Listeners, groups: Sequence[str], publish: fan_out.Publish, size: Size
) -> float:
    for group in groups:
        audience.record(group)
    published = publish(3 * size.events, 0.0)
    arrived = [
        arrivals
        for group in groups
        for arrivals in audience.collect(group, published[-1][0], fan_out.PATIENCE)
    ]
    last = max(stamp for arrivals in arrived for _seq, stamp in arrivals)
    return sum(map(len, arrived)) / (last - published[0][1]) * 1e9


def rates_of_tasks(site: CrowdedSite, size: Size) -> tuple[list[Curve], dict[int, Course]]:
    """New tasks at a steady rate, one web and one worker."""
    stop_more_webs(site)
    site.start_worker(0)
    courses = asyncio.run(offer(site, size))
    done = {rate: [course.per_second] for rate, course in courses.items()}
    added = {
        rate: [max(LEAST_MS, (took - MODEL_SECONDS) * 1e3) for took in course.took]
        for rate, course in courses.items()
    }
    return [
        Curve(
            name="tasks done",
            size="new tasks per second",
            measured="pictures per second",
            points=done,
            ideal=1,
            is_gain=True,
        ),
        Curve(
            name="time added to a task",
            size="new tasks per second",
            measured="ms more than the model takes",
            points=added,
            ideal=0,
        ),
    ], courses


def stop_more_webs(site: CrowdedSite) -> None:
    for web in site.webs[1:]:
        web.kill()


async def offer(site: CrowdedSite, size: Size) -> dict[int, Course]:
    everybody = await askers(site)
    await ask_at(site, everybody, size.rates[0], 1.0)
    courses = {rate: await ask_at(site, everybody, rate, size.seconds) for rate in size.rates}
    for asker in everybody:
        asker.client.transport.close()
    return courses


def numbers_of_workers(site: CrowdedSite, size: Size) -> Curve:
    """Everybody asks all the time; another worker each time."""
    points: dict[int, list[float]] = {}
    for count in size.processes:
        if count > 1:
            site.start_worker(count - 1)
        course = asyncio.run(press(site, size.seconds))
        points[count] = [course.per_second]
    return Curve(
        name="workers",
        size="worker processes",
        measured="pictures per second",
        points=points,
        ideal=1,
        is_gain=True,
    )


async def press(site: CrowdedSite, seconds: float) -> Course:
    everybody = await askers(site)
    course = await ask_all_the_time(site, everybody, seconds)
    for asker in everybody:
        asker.client.transport.close()
    return course
