"""Figure 7: the cost of appending an event to a task's log."""

from __future__ import annotations

from statistics import median

from benchmarks.lib.databases import both_databases
from benchmarks.lib.report import Goal, Report, Table, ratio_goal, ratios, spread

GOAL_ALONE = 0.8
GOAL_TOGETHER = 3.0
BARE, OURS, TOGETHER = "bare insert", "ours", "ours, 20 in one transaction"
BY_HAND = "two statements by hand"
EVENTS = {TOGETHER: 20}
"""Events per call, if more than one."""

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
        "given. By hand: `UPDATE … RETURNING` and one INSERT. Ours: `record_progress`, which "
        "updates the task if it is unchanged, takes the next seqs, writes the events and notifies "
        "(in-memory layer). Rates are 1 over a round's median; median (lowest to highest).",
        tables=[table(name, rounds) for name, rounds in measured.items()],
        goals=[goal for name, rounds in measured.items() for goal in goals(name, rounds)],
        notes=[
            "Written in one transaction: steps and fraction between two polls of the model, "
            "claimed with loading, and the last picture with the end. Of several fractions between "
            "two writes only the newest is written.",
            *(note(name, rounds) for name, rounds in measured.items()),
        ],
    )


def note(database: str, rounds: Rounds) -> str:
    """The minimum cost of an event, and what ours adds to it."""
    bare, floor, ours = (1e3 / median(rounds[side]) for side in (BARE, BY_HAND, OURS))
    return (
        f"{database}: the floor of one event is {floor / bare:.2f} × the time of a bare insert "
        f"({floor:.2f} ms against {bare:.2f}): a transaction, the task's UPDATE and the INSERT. "
        f"Ours adds {ours - floor:+.2f} ms: the event, its frame and the notification."
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
    return [
        ratio_goal(
            f"{database}: events {what} at least {limit} × as fast as a bare insert",
            ratios(rounds[side], rounds[BARE]),
            least=limit,
        )
        for side, what, limit in wanted
    ]
