"""Curves of the growth figure over stored rows: queues, galleries and logs."""

from __future__ import annotations

import asyncio
import time

from benchmarks.figures import claims
from benchmarks.figures.big_pages import PAGES, SiteClient
from benchmarks.figures.growth_sizes import Size
from benchmarks.lib.curves import Curve
from benchmarks.lib.databases import postgres_databases
from benchmarks.lib.loaded_site import LoadedSite

SHARE_OF_GALLERY = 10
"""One task in ten belongs to the person whose gallery is measured."""

TAIL = 10
LEAST_MS = 0.1
"""Smallest value, because zero has no logarithm."""
AT_ONCE = 500
"""Events in one transaction; above a thousand their broadcasts are dropped."""


def queue_length_curves(size: Size) -> list[Curve]:
    with postgres_databases("queue") as (database,):
        result = database.run(
            "measure_claims", sizes=size.queues, owners=claims.PEOPLE, rounds=size.rounds, claims=3
        )
    took = {int(length): each for length, each in result["milliseconds"].items()}
    return [
        Curve(
            name=name,
            size="queued tasks",
            measured=f"ms for {what}",
            points={length: each[part] for length, each in took.items()},
            ideal=0,
        )
        for name, part, what in (
            ("a claim", claims.CLAIM, "one claim"),
            ("queue positions", claims.POSITIONS, "the positions of 1,000 tasks"),
        )
    ]


def gallery_curve(size: Size) -> Curve:
    page = next(page for page in PAGES if page.name == "gallery")
    points: dict[int, list[float]] = {}
    with postgres_databases(*(f"gallery_{count}" for count in size.galleries)) as databases:
        for count, database in zip(size.galleries, databases, strict=True):
            # fetch() asserts that the page is full, so there must be enough pictures
            result = database.run("fill_big_pages", tasks=count * SHARE_OF_GALLERY)
            with SiteClient.of(database, result) as visit:
                for _warm_up in range(size.rounds):
                    visit.fetch(page)
                points[count] = [visit.fetch(page) for _round in range(size.rounds)]
    return Curve(
        name="the gallery",
        size="pictures of one person",
        measured="ms for the first page",
        points=points,
        ideal=0,
    )


def log_length_curves(site: LoadedSite, size: Size) -> list[Curve]:
    """Attach with an empty cursor, and with a cursor just before the end."""
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


def written(site: LoadedSite, task: str, length: int) -> int:
    """Write events up to that length; the newest seq."""
    newest = 0
    while newest < length:
        count = min(AT_ONCE, length - newest)
        result = site.writer.call("publish", task=task, count=count, per_second=0.0)
        newest = result["published"][-1][0]
    return newest


async def attach(site: LoadedSite, task: str, after: int) -> float:
    client = await site.webs[0].connect(site.people[0])
    live = client.next_text(b'"live"')
    began = time.perf_counter()
    client.send(action="attach", task_id=task, after=after)
    await live
    took = (time.perf_counter() - began) * 1e3
    client.transport.close()
    return took
