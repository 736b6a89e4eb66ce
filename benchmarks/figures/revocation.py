"""How soon a deleted token closes its sockets in every web process."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

from benchmarks.lib.report import Goal, Report, Table, spread
from benchmarks.lib.socket_client import Client, crowd
from benchmarks.lib.testbed import OURS, Person, Served, Writer
from tests.production import Production
from tests.studio import wait_until

WEBS = 2
NOT_SIGNED_IN, REFUSED = 4401, 4403
AT_ONCE, HEALED_WITHIN = 1.0, 10.0
DEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class Site:
    studio: Production
    webs: list[Served]
    writer: Writer


def measure(quick: bool) -> Report:
    people, sockets_each, tries = (6, 4, 1) if quick else (100, 10, 16)
    with site() as served:
        crowds = served.writer.people(people)
        measured = asyncio.run(run(served, crowds, sockets_each, tries))
    return report(measured, people * sockets_each, sockets_each)


@contextmanager
def site() -> Iterator[Site]:
    """Webs on the same stores, without workers, and a writer."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="liujuan-benchmark-")))
        studio = Production(folder, webs=0, workers=0)
        ends.callback(studio.stop)
        studio.start_stores()
        webs = [Served(OURS, folder, studio.env) for _each in range(WEBS)]
        for web in webs:
            ends.callback(web.kill)
            web.launch()
        for web in webs:
            wait_until(web.is_ready, what=f"{web.name} is ready")
        # it will log that messages were lost
        log = ends.enter_context((folder / "writer.log").open("w"))
        writer = Writer(studio.env, log)
        ends.callback(writer.close)
        yield Site(studio, webs, writer)


async def run(
    site: Site, people: list[Person], sockets_each: int, tries: int
) -> dict[str, list[float]]:
    """Seconds until the last socket was closed, by case."""
    seats = list(product(people, range(sockets_each)))
    clients = await crowd(
        len(seats),
        lambda number: site.webs[number % WEBS].connect(seats[number][0]),
    )
    sockets: dict[str, list[Client]] = {person.name: [] for person in people}
    for (person, _number), client in zip(seats, clients, strict=True):
        sockets[person.name].append(client)
    waiting = iter(people)

    async def revoke_some() -> list[float]:
        chosen = list(islice(waiting, tries))
        return [await revoke(site.writer, each, sockets[each.name]) for each in chosen]

    measured = {"Redis is up": await revoke_some()}
    await asyncio.to_thread(site.studio.redis.stop)
    measured["Redis is down"] = await revoke_some()
    rest = [client for person in waiting for client in sockets[person.name]]
    began = time.monotonic()
    site.studio.query("update auth_user set is_active = false")
    measured[f"Redis is down, all {len(rest):,} others disabled by one UPDATE"] = [
        await seconds_to_close(rest, began, REFUSED)
    ]
    return measured


async def revoke(writer: Writer, person: Person, clients: list[Client]) -> float:
    began = time.monotonic()
    await asyncio.to_thread(writer.call, "revoke", token=person.token)
    return await seconds_to_close(clients, began, NOT_SIGNED_IN)


async def seconds_to_close(clients: list[Client], began: float, code: int) -> float:
    async with asyncio.timeout(DEADLINE):
        codes = await asyncio.gather(*(client.closed for client in clients))
    assert set(codes) == {code}, codes
    return time.monotonic() - began


def report(measured: dict[str, list[float]], sockets: int, sockets_each: int) -> Report:
    at_once = max(measured["Redis is up"])
    later = max(max(seconds) for name, seconds in measured.items() if name != "Redis is up")
    return Report(
        title="Revocation",
        how=f"{sockets:,} sockets over {WEBS} web processes, {sockets_each} of each user, signed "
        "in by token, on PostgreSQL. Another process deletes the token of one user after another: "
        "from before that until the last of its sockets has its close frame. Then Redis is killed, "
        "and the same is done again; at last all other accounts are disabled by one statement, "
        "of which no process is notified. Median (lowest to highest).",
        tables=[
            Table(
                columns=("case", "tries", "s to the last close"),
                rows=[
                    [name, str(len(seconds)), spread(seconds, 3)]
                    for name, seconds in measured.items()
                ],
            )
        ],
        goals=[
            Goal(
                wanted=f"within {AT_ONCE:.0f} s in every process",
                measured=f"{at_once:.3f} s at most",
                met=at_once <= AT_ONCE,
            ),
            Goal(
                wanted=f"without Redis within {HEALED_WITHIN:.0f} s",
                measured=f"{later:.1f} s at most",
                met=later <= HEALED_WITHIN,
            ),
        ],
    )
