"""`make chaos`: everything dies in turn, and nothing may be lost.

python -m tests.chaos --seed 7        the run with that seed again
python -m tests.chaos --keep FOLDER   logs, files and the model's journal stay there
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import monotonic

import psycopg

from tests.chaos.blows import Healed, Striker, Supervisor
from tests.chaos.people import Device
from tests.chaos.plan import Plan, Wish, plan_of
from tests.chaos.verdict import Finding, findings, still_signed_in, story
from tests.production import Production

STRUCK_WEBS = 2
"""One more is left in peace: at it, only the passing of time can close a socket."""

REPLICAS = 4
SPEED = 40
LAST_WAIT = 240.0
"""Seconds that the tasks have to end after the last fault."""

DISMISSED_AT = 20.0
"""Seconds after which an account is disabled; open sockets ask every minute who they belong to."""

SETTLE = 15.0
"""Seconds after the last end in which devices and slots come to rest; the hub looks every 5."""

MAKE_PEOPLE = """
from django.contrib.auth.models import User
from generation import services
from generation.selectors import clock
for number in range({people}):
    user = User.objects.create_user(f"person-{{number}}")
    print(services.create_token(owner=user, name="chaos", now=clock.now()))
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=120.0, help="length of the fault phase")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    plan = plan_of(
        options.seed, tasks=options.tasks, people=options.people, seconds=options.seconds
    )
    if options.keep:
        return report_of(plan, options.keep)
    with tempfile.TemporaryDirectory(prefix="liujuan-chaos-") as folder:
        return report_of(plan, Path(folder))


def report_of(plan: Plan, folder: Path) -> int:
    journal = folder / "journal"
    production = Production(
        folder,
        webs=STRUCK_WEBS + 1,
        workers=3,
        replicas=REPLICAS,
        speed=SPEED,
        faults=plan.model_faults,
        model_options=("--journal", str(journal), "--engine", plan.engine),
        GENERATION_LEASE="6",
        GENERATION_GRACE="2",
        GENERATION_STALL="8",
    )
    began = monotonic()
    asked = f"{len(plan.wishes)} tasks of {plan.people} people"
    print(f"seed {plan.seed}: {asked}, drawn by {plan.engine}", flush=True)
    try:
        production.start()
        tokens = production.manage(
            "shell", "--no-imports", "-c", MAKE_PEOPLE.format(people=plan.people + 1)
        ).split()
        devices, dismissed, healed = asyncio.run(run(plan, production, tokens))
        found = findings(production, plan, devices, journal, REPLICAS)
        found.append(still_signed_in(dismissed))
        told = story(production, devices)
    finally:
        production.stop()
    print("\n".join([*told, "", *table_of(healed), "", *verdict_of(found)]))
    print(f"\nseed {plan.seed}, {monotonic() - began:.0f} s")
    return 1 if any(each.broken for each in found) or missed(healed) else 0


async def run(
    plan: Plan, production: Production, tokens: list[str]
) -> tuple[list[Device], Device, list[Healed]]:
    chance = random.Random(plan.seed)
    firsts = [device(production, tokens, n, "", chance) for n in range(plan.people)]
    # a third of the people also has the page open on a phone
    third = range(plan.people // 3)
    devices = firsts + [device(production, tokens, n, " on a phone", chance) for n in third]
    dismissed = device(production, tokens, plan.people, "", chance)
    supervisor = Supervisor(production)
    webs = production.webs[:STRUCK_WEBS]
    striker = Striker(production, supervisor, webs, devices, chance)
    background = [asyncio.create_task(supervisor.watch())]
    background += [asyncio.create_task(each.live()) for each in [*devices, dismissed]]
    background += [asyncio.create_task(dismiss(striker, plan.people))]
    wishes = [asyncio.create_task(later(each, firsts[each.person])) for each in plan.wishes]
    blows = [asyncio.create_task(striker.strike(blow)) for blow in plan.blows]
    try:
        await asyncio.gather(*blows)
        await until_all_ended(plan, production)
        await asyncio.gather(*wishes)
        await asyncio.sleep(SETTLE)
    finally:
        for task in [*background, *wishes, *blows]:
            task.cancel()
        await asyncio.gather(*background, *wishes, *blows, return_exceptions=True)
    return devices, dismissed, striker.healed


async def dismiss(striker: Striker, number: int) -> None:
    """One person more, who asks for nothing: the account is disabled while the page is open."""
    await asyncio.sleep(DISMISSED_AT)
    await striker.ask(
        "update auth_user set is_active = false where username = %s", f"person-{number}"
    )


def device(
    production: Production, tokens: list[str], number: int, where: str, chance: random.Random
) -> Device:
    own = random.Random(chance.random())
    webs = production.webs[:STRUCK_WEBS] if number < len(tokens) - 1 else production.webs[-1:]
    return Device(f"person {number}{where}", tokens[number], webs, own)


async def later(wish: Wish, person: Device) -> None:
    await asyncio.sleep(wish.at)
    await person.make(wish)


async def until_all_ended(plan: Plan, production: Production) -> None:
    """Or until patience has ended: then the verdict says so."""
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
        if count >= len(plan.wishes):
            return
        await asyncio.sleep(0.5)


def missed(healed: list[Healed]) -> bool:
    return any(each.seconds is None for each in healed)


def table_of(healed: list[Healed]) -> list[str]:
    """Seconds from each kind of fault until all was true again."""
    kinds: dict[str, list[float | None]] = {}
    for each in sorted(healed, key=lambda one: (one.blow.target, one.blow.kind)):
        length = f" for {each.blow.seconds:.0f} s" if each.blow.seconds else ""
        kinds.setdefault(f"{each.blow.kind} {each.blow.target}{length}", []).append(each.seconds)
    lines = ["| fault | times | seconds to truth: median | most |", "|---|---|---|---|"]
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
