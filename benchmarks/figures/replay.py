"""Figure 6: the cost of replaying a task's log."""

from __future__ import annotations

from benchmarks.lib.databases import both_databases
from benchmarks.lib.report import Goal, Report, Table, ratio_goal, ratios, spread

GOAL_WHOLE = 1.5
GOAL_TAIL = 0.2
BARE, OURS = "bare SELECT", "ours"
BARE_TAIL, TAIL = "bare SELECT, tail", "ours, tail"
Rounds = dict[str, list[float]]


def measure(quick: bool) -> Report:
    tasks, rounds, times = (20, 1, 3) if quick else (1_000, 7, 40)
    with both_databases() as databases:
        measured: dict[str, Rounds] = {
            database.name: database.run("measure_replay", tasks=tasks, rounds=rounds, times=times)
            for database in databases
        }
    return Report(
        title="Replay",
        how=f"A log of 1,000 events, and its last 10, out of {tasks * 1_000:,} rows; each time "
        f"another task's. {rounds} rounds of {times} calls, sides in turn; medians of the rounds: "
        "median (lowest to highest). Ours: `log_after`, page by page, and every frame as "
        "bytes; through the hub: its reader and a socket's outbox without the socket, including "
        "the switch to the database thread.",
        tables=[table(name, rounds) for name, rounds in measured.items()],
        goals=[goal for name, rounds in measured.items() for goal in goals(name, rounds)],
        notes=[note(name, rounds) for name, rounds in measured.items()],
    )


def note(database: str, rounds: Rounds) -> str:
    bare = ratios(rounds[BARE_TAIL], rounds[BARE])
    return (
        f"{database}: a query costs a round trip, however few rows it returns: the "
        f"bare SELECT of the tail takes {spread(bare)} × that of the whole log."
    )


def table(database: str, rounds: Rounds) -> Table:
    rows = [
        [side, spread(took), spread(ratios(took, rounds[BARE]))] for side, took in rounds.items()
    ]
    return Table(columns=(database, "ms", "× bare SELECT of the whole log"), rows=rows)


def goals(database: str, rounds: Rounds) -> list[Goal]:
    wanted = ((OURS, "1,000 events", GOAL_WHOLE), (TAIL, "a tail of 10", GOAL_TAIL))
    return [
        ratio_goal(
            f"{database}: {what} within {limit} × the bare SELECT of 1,000",
            ratios(rounds[side], rounds[BARE]),
            most=limit,
        )
        for side, what, limit in wanted
    ]
