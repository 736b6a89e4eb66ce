"""Curves of the growth figure over watchers, web processes, request rates and workers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from benchmarks.figures import fan_out
from benchmarks.figures.growth_of_rows import LEAST_MS
from benchmarks.figures.growth_sizes import Size
from benchmarks.lib.curves import Curve
from benchmarks.lib.listeners import Endpoint, Listeners
from benchmarks.lib.loaded_site import (
    Cpu,
    LoadedSite,
    LoadResult,
    request_at_rate,
    request_continuously,
    requesters,
)

MODEL_SECONDS = 1.0

PER_SECOND = 20.0


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
