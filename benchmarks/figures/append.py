"""Figure 7: what it costs to append an event to a task's log."""

from __future__ import annotations

from statistics import median

from benchmarks.lib.databases import both_databases
from benchmarks.lib.report import Goal, Report, Table, ratios, spread

GOAL_ALONE = 0.8
GOAL_TOGETHER = 3.0
BARE, OURS, TOGETHER = "bare insert", "ours", "ours, 20 in one transaction"
BY_HAND = "two statements by hand"
EVENTS = {TOGETHER: 20}
"""How many one call writes, where it is not one."""

Rounds = dict[str, list[float]]


def measure(quick: bool) -> Report:
    rounds, times = (1, 10) if quick else (7, 40)
    with both_databases() as databases:
        measured = {
            database.name: rates(database.run("measure_append", rounds=rounds, times=times))
            for database in databases
        }
    return Report(
        title="Append",
        how=f"One writer, one running task; {rounds} rounds of {times} calls, sides in turn, each "
        "through `database_sync_to_async` as a worker calls it. Bare: one row by the ORM, seq "
        "given. By hand: `UPDATE … RETURNING` and one INSERT. Ours: `record_seen`, which "
        "compares and sets the task, takes the next seqs, writes the events and rings (in-memory "
        "layer). Rates are 1 over a round's median; median (lowest to highest).",
        tables=[table(name, rounds) for name, rounds in measured.items()],
        goals=[goal for name, rounds in measured.items() for goal in goals(name, rounds)],
        notes=[
            "Written together are the steps that passed between two looks at the model and the "
            "fraction between them, claimed and loading, and the last picture and the end; of "
            "several fractions between two writes only the newest is written at all.",
            *(note(name, rounds) for name, rounds in measured.items()),
        ],
    )


def note(database: str, rounds: Rounds) -> str:
    """The floor, and what is on top of it."""
    bare, floor, ours = (1e3 / median(rounds[side]) for side in (BARE, BY_HAND, OURS))
    return (
        f"{database}: the floor of one event is {floor / bare:.2f} × the time of a bare insert "
        f"({floor:.2f} ms against {bare:.2f}): a transaction, the task's UPDATE and the INSERT. "
        f"Ours takes {ours - floor:+.2f} ms on top: the event, its frame and the ring."
    )


def rates(rounds: Rounds) -> Rounds:
    """Events per second."""
    return {side: [EVENTS.get(side, 1) * 1e3 / ms for ms in took] for side, took in rounds.items()}


def table(database: str, rounds: Rounds) -> Table:
    rows = [
        [side, spread(rate, 0), spread(ratios(rate, rounds[BARE]))] for side, rate in rounds.items()
    ]
    return Table(columns=(database, "events/s", "× bare insert"), rows=rows)


def goals(database: str, rounds: Rounds) -> list[Goal]:
    wanted = ((OURS, "one by one", GOAL_ALONE), (TOGETHER, "together", GOAL_TOGETHER))
    found = []
    for side, what, limit in wanted:
        measured = ratios(rounds[side], rounds[BARE])
        found.append(
            Goal(
                wanted=f"{database}: events {what} at least {limit} × as fast as a bare insert",
                measured=f"{spread(measured)} ×",
                met=median(measured) >= limit,
            )
        )
    return found
