"""Time to claim a task, and to read queue positions, while many tasks are queued."""

from __future__ import annotations

from math import log
from statistics import median
from typing import Any

from benchmarks.lib.databases import both_databases
from benchmarks.lib.report import Goal, Report, Table, ratios, spread

PEOPLE = 1_000
GOAL_RATIO = 2.0
GOAL_POSITIONS_MS = 200.0
"""A tenth of the two seconds between two reads of the queue in every process."""

CLAIM, BARE, POSITIONS = "claim", "first come", "positions"
Lengths = dict[str, dict[str, list[float]]]


def measure(quick: bool) -> Report:
    sizes, rounds, claims = ([100, 1_000], 1, 2) if quick else ([1_000, 10_000, 100_000], 5, 3)
    with both_databases() as databases:
        measured: dict[str, Any] = {
            database.name: database.run(
                "measure_claims", sizes=sizes, owners=PEOPLE, rounds=rounds, claims=claims
            )
            for database in databases
        }
    queues: dict[str, Lengths] = {name: each["milliseconds"] for name, each in measured.items()}
    fair = all(each["fair"] for each in measured.values())
    return Report(
        title="Claims in a long queue",
        how=f"{PEOPLE:,} people with equally many queued tasks each, all served before; "
        f"8 slots, 4 of them held. {rounds} rounds of {claims} claims each way and one read of "
        f"the positions of {PEOPLE:,} tasks, lengths and ways in turn. First come: the same writes "
        "for the oldest task, which is known beforehand. Median (lowest to highest). Growth: the "
        "exponent of the time over the length, 0 is none and 1 is in proportion.",
        tables=[table(name, lengths) for name, lengths in queues.items()],
        goals=[
            *(goal for name, lengths in queues.items() for goal in goals(name, lengths)),
            Goal(
                wanted="every claim takes a task of the owner served longest ago",
                measured="all did" if fair else "some did not",
                met=fair,
            ),
        ],
    )


def table(database: str, lengths: Lengths) -> Table:
    columns = (
        f"{database}, tasks queued",
        "claim, ms",
        "claims/s",
        "× first come",
        "positions, ms",
    )
    rows = [
        [
            f"{int(length):,}",
            spread(took[CLAIM], 1),
            f"{1e3 / median(took[CLAIM]):,.1f}",
            spread(ratios(took[CLAIM], took[BARE]), 1),
            spread(took[POSITIONS], 0),
        ]
        for length, took in lengths.items()
    ]
    exponents = (growth(lengths, CLAIM), growth(lengths, POSITIONS))
    rows.append(["growth", f"{exponents[0]:.2f}", "", "", f"{exponents[1]:.2f}"])
    return Table(columns=columns, rows=rows)


def growth(lengths: Lengths, what: str) -> float:
    """Exponent of the time over the length."""
    (shortest, first), *_between, (longest, last) = lengths.items()
    times = median(last[what]) / median(first[what])
    return log(times) / log(int(longest) / int(shortest))


def goals(database: str, lengths: Lengths) -> list[Goal]:
    (shortest, first), *_between, (longest, last) = lengths.items()
    claim = median(last[CLAIM]) / median(first[CLAIM])
    positions = median(last[POSITIONS])
    return [
        Goal(
            wanted=f"{database}: with {int(longest):,} queued a claim takes at most "
            f"{GOAL_RATIO:.0f} × as long as with {int(shortest):,}",
            measured=f"{claim:.1f} ×",
            met=claim <= GOAL_RATIO,
        ),
        Goal(
            wanted=f"{database}: positions of {int(longest):,} within {GOAL_POSITIONS_MS:.0f} ms",
            measured=f"{positions:.0f} ms",
            met=positions <= GOAL_POSITIONS_MS,
        ),
    ]
