"""`make chaos`: kill every part of the installation in turn; nothing may be lost.

python -m tests.chaos --seed 7        the run with that seed again
python -m tests.chaos --servers 3     a slow, a flapping and a lying model server
python -m tests.chaos --keep FOLDER   logs, files and the model's journal stay there
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import psycopg

from tests.chaos.clients import Client
from tests.chaos.faults import FaultInjector, Recovery, Supervisor
from tests.chaos.plan import FLAPPING, LYING, SLOW, Plan, PlannedTask, plan_of
from tests.chaos.verdict import Finding, Rest, findings, still_signed_in, summary_of
from tests.production import Production, ServerPlan

FAULTY_WEBS = 2
"""One more web gets no faults: there only the account check can close a socket."""

REPLICAS = {1: 4, 3: 2}
"""Of each server, by the number of servers: each replica is a process that needs CPU time."""

SPEED = 40
SLOW_SPEED = 15
EVERY_CALL_FAILS = ({"do": "status", "status": 500, "detail": "CUDA error: unspecified failure"},)
STALL = {"diffusers": "8", "vllm": "20"}
"""Seconds without progress after which a call counts as over. vllm has no progress and no abort:
the slowest call on a busy machine has to end in that time, or the slot is given away too early."""

LAST_WAIT = 240.0
"""Seconds that the tasks have to end after the last fault."""

DISABLED_AT = 20.0
"""Seconds until an account is disabled; open sockets check theirs every minute."""

SETTLE = 15.0
"""Seconds after the last end for clients and slots to settle; the hub compares every 5."""

MAKE_ACCOUNTS = """
from django.contrib.auth.models import User
from accounts.tokens import create_token
from generation.clock import clock
for number in range({people}):
    user = User.objects.create_user(f"person-{{number}}")
    print(create_token(owner=user, name="chaos", now=clock.now()))
"""

RESTS = """
select name, extract(epoch from rested_until)::float from generation_modelserver
where rested_until is not null
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=120.0, help="length of the fault phase")
    parser.add_argument("--servers", type=int, choices=(1, 3), default=1)
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    plan = plan_of(
        options.seed,
        tasks=options.tasks,
        people=options.people,
        seconds=options.seconds,
        servers=options.servers,
    )
    if options.keep:
        return report_of(plan, options.keep)
    with tempfile.TemporaryDirectory(prefix="liujuan-chaos-") as folder:
        return report_of(plan, Path(folder))


def report_of(plan: Plan, folder: Path) -> int:
    servers = server_plans(plan, folder)
    journals = {name: folder / f"{name}-journal" for name in servers}
    production = Production(
        folder,
        webs=FAULTY_WEBS + 1,
        workers=3,
        servers=servers,
        GENERATION_LEASE="6",
        GENERATION_GRACE="2",
        GENERATION_STALL=STALL[plan.engine],
    )
    began = monotonic()
    asked = f"{len(plan.planned_tasks)} tasks of {plan.people} people"
    print(f"seed {plan.seed}: {asked}, drawn by {plan.engine} × {plan.servers}", flush=True)
    try:
        production.start()
        tokens = production.manage(
            "shell", "--no-imports", "-c", MAKE_ACCOUNTS.format(people=plan.people + 1)
        ).split()
        clients, disabled_client, recoveries, rests = asyncio.run(run(plan, production, tokens))
        found = findings(production, plan, clients, journals, REPLICAS[plan.servers], rests)
        found.append(still_signed_in(disabled_client))
        summary = [*summary_of(production, clients), rests_text(rests)]
    finally:
        production.stop()
    print("\n".join([*summary, "", *table_of(recoveries), "", *verdict_of(found)]))
    print(f"\nseed {plan.seed}, {monotonic() - began:.0f} s")
    return 1 if any(each.broken for each in found) or missed(recoveries) else 0


def server_plans(plan: Plan, folder: Path) -> Mapping[str, ServerPlan]:
    """The model servers by name; the scripted faults are of the one that is there all the time."""

    def server(name: str, faults: Any, speed: int = SPEED) -> ServerPlan:
        options = ("--journal", str(folder / f"{name}-journal"), "--engine", plan.engine)
        return ServerPlan(
            replicas=REPLICAS[plan.servers], speed=speed, faults=faults, options=options
        )

    if plan.servers == 1:
        return {"model": server("model", plan.model_faults)}
    return {
        SLOW: server(SLOW, plan.model_faults, SLOW_SPEED),
        FLAPPING: server(FLAPPING, ()),
        LYING: server(LYING, EVERY_CALL_FAILS),
    }


async def run(
    plan: Plan, production: Production, tokens: list[str]
) -> tuple[list[Client], Client, list[Recovery], list[Rest]]:
    chance = random.Random(plan.seed)
    firsts = [client(production, tokens, n, "", chance) for n in range(plan.people)]
    # a third of the people have a second client
    third = range(plan.people // 3)
    clients = firsts + [client(production, tokens, n, " on a phone", chance) for n in third]
    disabled_client = client(production, tokens, plan.people, "", chance)
    supervisor = Supervisor(production)
    webs = production.webs[:FAULTY_WEBS]
    injector = FaultInjector(production, supervisor, webs, clients, chance)
    background = [asyncio.create_task(supervisor.watch())]
    background += [asyncio.create_task(each.run()) for each in [*clients, disabled_client]]
    background += [asyncio.create_task(disable_account(injector, plan.people))]
    rests: list[Rest] = []
    background += [asyncio.create_task(watch_rests(injector, rests))]
    planned_tasks = [
        asyncio.create_task(later(each, firsts[each.person])) for each in plan.planned_tasks
    ]
    faults = [asyncio.create_task(injector.inject(fault)) for fault in plan.faults]
    try:
        await asyncio.gather(*faults)
        await until_all_ended(plan, production)
        await asyncio.gather(*planned_tasks)
        await asyncio.sleep(SETTLE)
    finally:
        for task in [*background, *planned_tasks, *faults]:
            task.cancel()
        await asyncio.gather(*background, *planned_tasks, *faults, return_exceptions=True)
    return clients, disabled_client, injector.recoveries, rests


async def watch_rests(injector: FaultInjector, rests: list[Rest]) -> None:
    """Keep `rests` up to date with the database."""
    known: dict[tuple[str, float], Rest] = {}
    while True:
        began = time.time()
        for name, until in await injector.request(RESTS):
            if (name, until) not in known:
                known[name, until] = Rest(name, began, began)
                rests.append(known[name, until])
            known[name, until].until = min(began, until)
        await asyncio.sleep(0.2)


def rests_text(rests: list[Rest]) -> str:
    counts = Counter(rest.server for rest in rests)
    return "rests and trials: " + (", ".join(f"{n} × {k}" for n, k in counts.items()) or "none")


async def disable_account(injector: FaultInjector, number: int) -> None:
    """Disable the account of one more client, without tasks, while its socket is open."""
    await asyncio.sleep(DISABLED_AT)
    await injector.request(
        "update auth_user set is_active = false where username = %s", f"person-{number}"
    )


def client(
    production: Production, tokens: list[str], number: int, where: str, chance: random.Random
) -> Client:
    own = random.Random(chance.random())
    webs = production.webs[:FAULTY_WEBS] if number < len(tokens) - 1 else production.webs[-1:]
    return Client(f"person {number}{where}", tokens[number], webs, own)


async def later(planned_task: PlannedTask, person: Client) -> None:
    await asyncio.sleep(planned_task.at)
    await person.submit(planned_task)


async def until_all_ended(plan: Plan, production: Production) -> None:
    """Wait until all tasks have ended, or LAST_WAIT has passed, which the verdict reports."""
    end = monotonic() + LAST_WAIT
    while monotonic() < end:
        try:
            ((count,),) = await asyncio.to_thread(
                production.query,
                "select count(*) from generation_generationtask"
                " where status in ('completed', 'failed', 'cancelled')",
            )
        except psycopg.OperationalError:
            count = 0
        if count >= len(plan.planned_tasks):
            return
        await asyncio.sleep(0.5)


def missed(recoveries: list[Recovery]) -> bool:
    return any(each.seconds is None for each in recoveries)


def table_of(recoveries: list[Recovery]) -> list[str]:
    """Seconds to recovery by kind of fault."""
    kinds: dict[str, list[float | None]] = {}
    for each in sorted(recoveries, key=lambda one: (one.fault.target, one.fault.kind)):
        length = f" for {each.fault.seconds:.0f} s" if each.fault.seconds else ""
        kinds.setdefault(f"{each.fault.kind} {each.fault.target}{length}", []).append(each.seconds)
    lines = ["| fault | times | seconds to recovery: median | most |", "|---|---|---|---|"]
    for kind, seconds in kinds.items():
        known = [each for each in seconds if each is not None]
        never = "" if len(known) == len(seconds) else f" (never × {len(seconds) - len(known)})"
        middle, most = (median(known), max(known)) if known else (0.0, 0.0)
        lines.append(f"| {kind} | {len(seconds)} | {middle:.1f} | {most:.1f}{never} |")
    return lines


def verdict_of(found: list[Finding]) -> list[str]:
    lines = ["| law broken | found | allowed |", "|---|---|---|"]
    for each in found:
        mark = f" ← {each.example}" if each.broken else ""
        lines.append(f"| {each.law} | {each.count} | {each.allowed} |{mark}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
