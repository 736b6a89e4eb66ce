"""How long a worker looks for the next task when many wait, and a page for its place."""

from __future__ import annotations

from math import log
from statistics import median
from typing import Any

from benchmarks.lib.databases import both_databases
from benchmarks.lib.report import Goal, Report, Table, ratios, spread

PEOPLE = 1_000
GOAL_RATIO = 2.0
GOAL_PLACES_MS = 200.0
"""A tenth of the two seconds after which every process reads the line again."""

CLAIM, BARE, PLACES = "claim", "first come", "places"
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
    lines: dict[str, Lengths] = {name: each["milliseconds"] for name, each in measured.items()}
    fair = all(each["fair"] for each in measured.values())
    return Report(
        title="Claims in a long line",
        how=f"{PEOPLE:,} people with equally many waiting tasks each, who all were served before; "
        f"8 slots, 4 of them held. {rounds} rounds of {claims} claims each way and one reading of "
        f"the places of {PEOPLE:,} tasks, lengths and ways in turn. First come: the same writes "
        "for the oldest task, which is known beforehand. Median (lowest to highest). Growth: the "
        "exponent of the time over the length, 0 is none and 1 is in proportion.",
        tables=[table(name, lengths) for name, lengths in lines.items()],
        goals=[
            *(goal for name, lengths in lines.items() for goal in goals(name, lengths)),
            Goal(
                wanted="every claim takes the task of who was served longest ago",
                measured="all did" if fair else "some did not",
                met=fair,
            ),
        ],
    )


def table(database: str, lengths: Lengths) -> Table:
    columns = (f"{database}, tasks in line", "claim, ms", "claims/s", "× first come", "places, ms")
    rows = [
        [
            f"{int(length):,}",
            spread(took[CLAIM], 1),
            f"{1e3 / median(took[CLAIM]):,.1f}",
            spread(ratios(took[CLAIM], took[BARE]), 1),
            spread(took[PLACES], 0),
        ]
        for length, took in lengths.items()
    ]
    exponents = (growth(lengths, CLAIM), growth(lengths, PLACES))
    rows.append(["growth", f"{exponents[0]:.2f}", "", "", f"{exponents[1]:.2f}"])
    return Table(columns=columns, rows=rows)


def growth(lengths: Lengths, what: str) -> float:
    """k, if the time grows as the length to the power of k."""
    (shortest, first), *_between, (longest, last) = lengths.items()
    times = median(last[what]) / median(first[what])
    return log(times) / log(int(longest) / int(shortest))


def goals(database: str, lengths: Lengths) -> list[Goal]:
    (shortest, first), *_between, (longest, last) = lengths.items()
    claim = median(last[CLAIM]) / median(first[CLAIM])
    places = median(last[PLACES])
    return [
        Goal(
            wanted=f"{database}: with {int(longest):,} waiting a claim takes at most "
            f"{GOAL_RATIO:.0f} × as long as with {int(shortest):,}",
            measured=f"{claim:.1f} ×",
            met=claim <= GOAL_RATIO,
        ),
        Goal(
            wanted=f"{database}: the places of {int(longest):,} within {GOAL_PLACES_MS:.0f} ms",
            measured=f"{places:.0f} ms",
            met=places <= GOAL_PLACES_MS,
        ),
    ]
