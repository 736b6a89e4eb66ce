"""The curves of the growth figure: one size grows at a time, all others stay small."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import claims, fan_out
from benchmarks.figures.big_pages import PAGES, SiteClient
from benchmarks.lib.curves import Curve
from benchmarks.lib.databases import Database, new_database, prepared
from benchmarks.lib.listeners import Endpoint, Listeners
from benchmarks.lib.loaded_site import (
    Cpu,
    LoadedSite,
    LoadResult,
    request_at_rate,
    request_continuously,
    requesters,
)
from tests.stores import Postgres

SHARE_OF_GALLERY = 10
"""One task in ten belongs to the person whose gallery is measured."""

TAIL = 10
MODEL_SECONDS = 1.0
LEAST_MS = 0.1
"""Smallest value, because zero has no logarithm."""

PER_SECOND = 20.0
AT_ONCE = 500
"""Events in one transaction; above a thousand their broadcasts are dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    rounds: int
    queues: list[int]
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
    queues=[100, 1_000],
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
    queues=[1_000, 3_000, 10_000, 30_000, 100_000],
    logs=[30, 100, 300, 1_000, 3_000],
    galleries=[100, 1_000, 10_000, 100_000],
    watchers=[1, 3, 10, 30, 100, 300, 1_000],
    rates=[1, 2, 4, 8, 16, 24],
    processes=[1, 2, 3, 4],
    people=60,
    seconds=6.0,
    events=40,
)


def queue_length_curves(size: Size) -> list[Curve]:
    with postgres("queue") as (database,):
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
    with postgres(*(f"gallery_{count}" for count in size.galleries)) as databases:
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


@contextmanager
def postgres(*purposes: str) -> Iterator[list[Database]]:
    """One database per purpose."""
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


def watcher_curve(site: LoadedSite, audience: Listeners, size: Size) -> tuple[Curve, Cpu, int]:
    """Milliseconds from a commit to the last watcher; CPU and deliveries of the largest crowd."""
    points: dict[int, list[float]] = {}
    for count in size.watchers:
        task, group = site.writer.task(site.people[0]), f"{count} watchers"
        audience.attach(group, endpoint(site, 0, task), count)
        publish = publish_stored(site, task)
        fan_out.publish_and_collect(audience, group, lambda p=publish: p(2, PER_SECOND))  # type: ignore[misc]
        before = site.cpu()
        published, arrived = fan_out.publish_and_collect(
            audience,
            group,
            lambda p=publish: p(size.events, PER_SECOND),  # type: ignore[misc]
        )
        delivery_cpu = {name: after - before[name] for name, after in site.cpu().items()}
        committed = dict(published)
        last: dict[int, int] = {}
        for seq, stamp in (each for arrivals in arrived for each in arrivals):
            last[seq] = max(stamp, last.get(seq, 0))
        points[count] = [(stamp - committed[seq]) / 1e6 for seq, stamp in last.items()]
    curve = Curve(
        name="watchers",
        size="watchers of one task",
        measured="ms until the last of them has it",
        points=points,
        ideal=0,
    )
    return curve, delivery_cpu, size.events * count


def publish_stored(site: LoadedSite, task: str) -> fan_out.Publish:
    def publish(count: int, per_second: float) -> fan_out.Published:
        result = site.writer.call("publish", task=task, count=count, per_second=per_second)
        return [(seq, stamp) for seq, stamp in result["published"]]

    return publish


def endpoint(site: LoadedSite, web: int, task: str) -> Endpoint:
    headers = site.webs[web].side.headers(site.people[0])
    return Endpoint(port=site.webs[web].port, headers=headers, task=task)


def web_curve(site: LoadedSite, audience: Listeners, size: Size) -> Curve:
    """Deliveries per second of a burst to the same crowd, spread over 1, 2, … webs."""
    points: dict[int, list[float]] = {}
    crowd = size.watchers[-1] // 5 or 1
    for count in size.processes:
        if count > 1:
            site.start(site.webs[count - 1])
        task = site.writer.task(site.people[0])
        groups = [f"{number + 1} of {count} webs" for number in range(count)]
        for number, group in enumerate(groups):
            audience.attach(group, endpoint(site, number, task), max(2, crowd // count))
        publish = publish_stored(site, task)
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
        for arrivals in audience.collect(group, published[-1][0], fan_out.TIMEOUT)
    ]
    last = max(stamp for arrivals in arrived for _seq, stamp in arrivals)
    return sum(map(len, arrived)) / (last - published[0][1]) * 1e9


def rate_curves(site: LoadedSite, size: Size) -> tuple[list[Curve], dict[int, LoadResult]]:
    """New tasks at a steady rate, with one web and one worker."""
    stop_other_webs(site)
    site.start_worker(0)
    results = asyncio.run(offer_rates(site, size))
    done = {rate: [result.per_second] for rate, result in results.items()}
    added = {
        rate: [max(LEAST_MS, (took - MODEL_SECONDS) * 1e3) for took in result.took]
        for rate, result in results.items()
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
    ], results


def stop_other_webs(site: LoadedSite) -> None:
    for web in site.webs[1:]:
        web.kill()


async def offer_rates(site: LoadedSite, size: Size) -> dict[int, LoadResult]:
    clients = await requesters(site)
    await request_at_rate(site, clients, size.rates[0], 1.0)
    results = {
        rate: await request_at_rate(site, clients, rate, size.seconds) for rate in size.rates
    }
    for requester in clients:
        requester.client.transport.close()
    return results


def worker_curve(site: LoadedSite, size: Size) -> Curve:
    """Pictures per second with 1, 2, … workers while every client keeps requesting."""
    points: dict[int, list[float]] = {}
    for count in size.processes:
        if count > 1:
            site.start_worker(count - 1)
        result = asyncio.run(saturate(site, size.seconds))
        points[count] = [result.per_second]
    return Curve(
        name="workers",
        size="worker processes",
        measured="pictures per second",
        points=points,
        ideal=1,
        is_gain=True,
    )


async def saturate(site: LoadedSite, seconds: float) -> LoadResult:
    clients = await requesters(site)
    result = await request_continuously(site, clients, seconds)
    for requester in clients:
        requester.client.transport.close()
    return result
