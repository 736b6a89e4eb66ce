"""Pictures per second of several model servers, and what the loss of two costs the third."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.lib.loaded_site import (
    LoadedSite,
    loaded_site,
    request_continuously,
    requesters,
)
from benchmarks.lib.report import Report, Table, percentile, ratio_goal, ratios, spread
from benchmarks.lib.rounds import alternating
from benchmarks.lib.systems import SocketRequester
from tests.studio import wait_until

SLOTS = 8
"""Of each model server."""

COUNTS = (1, 2, 4)
GOAL_GAIN = 3.8
GOAL_P99 = 1.2
PER_SLOT = 1.5
"""People who request continuously, for each slot."""

PICTURE_SECONDS = 4.0
"""Of the pictures of that part: 32 slots then finish 8 a second, which one worker can serve."""

PER_SECOND = 4.0
"""New tasks beside the faults: half of what one server draws."""

PEOPLE = 100
"""More than tasks in a round: those at the hanging server wait until it is given up."""

STALL = "10"
"""Seconds after which a call of the hanging server is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    seconds: float
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Of each round: all pictures of the one healthy server, and of the site that lost two."""

    healthy: list[list[Drawn]]
    faulty: list[list[Drawn]]


def measure(quick: bool) -> Report:
    rounds, seconds = (1, 4.0) if quick else (3, 20.0)
    gains = measure_gains(rounds, seconds)
    faults = measure_faults(rounds, 3.0 if quick else 20.0)
    return report(gains, faults, rounds)


def measure_gains(rounds: int, seconds: float) -> dict[int, list[float]]:
    """Pictures per second of each round, by number of servers."""
    gains: dict[int, list[float]] = {count: [] for count in COUNTS}
    with ExitStack() as ends:
        sites = {}
        for count in COUNTS:
            people = int(SLOTS * count * PER_SLOT)
            sites[count] = ends.enter_context(
                loaded_site(
                    1,
                    1,
                    people,
                    servers=count,
                    replicas=SLOTS,
                    picture_seconds=PICTURE_SECONDS,
                )
            )
            start(sites[count])
        for number in range(rounds):
            for count in alternating(COUNTS, number):
                gains[count].append(asyncio.run(saturated(sites[count], seconds)))
    return gains


def start(site: LoadedSite) -> None:
    """Start the worker, and wait until it knows every slot."""
    site.start_worker(0)
    slots = SLOTS * len(site.models)
    query = "select count(*) from generation_modelslot"
    wait_until(lambda: site.studio.query(query)[0][0] == slots, what=f"there are {slots} slots")


async def saturated(site: LoadedSite, seconds: float) -> float:
    """Pictures per second while every client keeps requesting."""
    clients = await requesters(site)
    result = await request_continuously(
        site, clients, seconds, under_way=2 * PICTURE_SECONDS, spread=PICTURE_SECONDS
    )
    close(clients)
    return result.per_second


def measure_faults(rounds: int, seconds: float) -> Faults:
    """Two of three servers fail just before the first round, and stay like that."""
    faults = Faults(healthy=[], faulty=[])
    with (
        loaded_site(1, 1, PEOPLE, replicas=SLOTS, GENERATION_STALL=STALL) as healthy,
        loaded_site(1, 1, PEOPLE, servers=3, replicas=SLOTS, GENERATION_STALL=STALL) as faulty,
    ):
        for site in (healthy, faulty):
            start(site)
            asyncio.run(steady(site, 2.0))
        _works, killed, frozen = faulty.models
        killed.kill()
        frozen.freeze()
        for number in range(rounds):
            for site, drawn in alternating(
                ((healthy, faults.healthy), (faulty, faults.faulty)), number + 1
            ):
                drawn.append(asyncio.run(steady(site, seconds)))
    return faults


async def steady(site: LoadedSite, seconds: float) -> list[Drawn]:
    """Submit at a steady rate, each task from a client without one; all pictures of them."""
    clients = await requesters(site)
    free, drawn = list(clients), []
    pending: set[asyncio.Task[None]] = set()

    async def request_one(requester: SocketRequester) -> None:
        took = await requester.request()
        drawn.append(Drawn(seconds=took, attempt=json.loads(requester.result)["attempt"]))
        free.append(requester)

    due = time.monotonic()
    end = due + seconds
    while due < end:
        pending.add(asyncio.create_task(request_one(free.pop(0))))
        due += 1 / PER_SECOND
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    await asyncio.gather(*pending)
    close(clients)
    return drawn


def close(clients: list[SocketRequester]) -> None:
    for requester in clients:
        requester.client.transport.close()


def report(gains: dict[int, list[float]], faults: Faults, rounds: int) -> Report:
    times = {count: ratios(gains[count], gains[1]) for count in COUNTS}
    healthy = [p99(drawn) for drawn in faults.healthy]
    faulty = [p99(drawn) for drawn in faults.faulty]
    again = [each.seconds for drawn in faults.faulty for each in drawn if each.attempt > 1]
    return Report(
        title="Several model servers",
        how=f"PostgreSQL, Redis, one web, one worker; model servers of {SLOTS} slots that take "
        f"exactly {PICTURE_SECONDS:.0f} s for a picture. {PER_SLOT} people for each slot, who "
        "submit again as soon as they have their picture. Then, with pictures of 1 s, "
        f"{PER_SECOND:.0f} new tasks a second beside three servers, "
        "one killed (connections are refused) and one frozen (connections are accepted, nothing "
        "is answered) just before the first round, and beside one server alone; p99 is of "
        f"pictures that the first attempt made, so of the server that works. {rounds} rounds, all "
        "in turn. Median (lowest to highest).",
        tables=[
            Table(
                columns=("model servers", "pictures/s", "× one server"),
                rows=[
                    [str(count), spread(gains[count], 1), spread(times[count])] for count in COUNTS
                ],
            ),
            Table(
                columns=("side", "p99 of a picture, s", "× alone"),
                rows=[
                    ["one server alone", spread(healthy), "1.00"],
                    [
                        "one of three, the others killed and frozen",
                        spread(faulty),
                        spread(ratios(faulty, healthy)),
                    ],
                ],
            ),
        ],
        goals=[
            ratio_goal(
                f"4 servers at least {GOAL_GAIN} × the pictures per second of one",
                times[4],
                least=GOAL_GAIN,
            ),
            ratio_goal(
                f"p99 of the server that works at most {GOAL_P99} × that of one alone",
                ratios(faulty, healthy),
                most=GOAL_P99,
            ),
        ],
        notes=[
            f"{len(again)} tasks were drawn by a second attempt"
            + (f", {spread(again, 1)} s after their submission." if again else "."),
        ],
    )


def p99(drawn: list[Drawn]) -> float:
    """Seconds, of first attempts."""
    return percentile([each.seconds for each in drawn if each.attempt == 1], 0.99)
