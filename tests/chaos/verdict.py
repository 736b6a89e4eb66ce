"""What must be true after everything: counted from the database, the files, the model's journal
and from what each client saw."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from generation.protocol.state import empty_state, fold
from tests.chaos.clients import Client
from tests.chaos.plan import LYING, Plan
from tests.production import Production

FIRST_FEW = 5
"""Tasks of A that may be claimed between B's submission and claim: one per slot, and one more."""


CALLS = frozenset({"came", "refused"})
"""What a server records of a call that reached it."""

LOOK_AGAIN = 0.5
"""Seconds, at most, between two looks at the rests."""

UNDER_WAY = 3.0
"""Seconds in which a call arrives that was claimed before the rest began."""


@dataclass(slots=True)
class Rest:
    """A rest of a model server, in Unix seconds: from and until when the database had it."""

    server: str
    seen: float
    until: float


@dataclass(frozen=True, slots=True)
class Finding:
    """How often a law was broken; `allowed` is 0 for nearly all."""

    law: str
    count: int
    allowed: int = 0
    example: str = ""

    @property
    def broken(self) -> bool:
        return self.count > self.allowed


COUNTS = {
    "accepted tasks that did not end": """
        select id::text from generation_generationtask
        where status not in ('completed', 'failed', 'cancelled')""",
    "tasks with two ends": """
        select task_id::text from generation_taskevent
        where kind in ('completed', 'failed', 'cancelled') group by task_id having count(*) > 1""",
    "tasks whose log has a gap": """
        select task_id::text from generation_taskevent group by task_id
        having min(seq) != 1 or max(seq) != count(*)""",
    "tasks whose newest seq is not their log's": """
        select id::text from generation_generationtask task where newest_seq !=
        (select max(seq) from generation_taskevent where task_id = task.id)""",
    "events after the end": """
        select late.task_id::text from generation_taskevent late join generation_taskevent final
        on final.task_id = late.task_id and final.kind in ('completed', 'failed', 'cancelled')
        where late.seq > final.seq""",
    "completed after a cancel was requested": """
        select id::text from generation_generationtask
        where status = 'completed' and cancel_requested_at is not null""",
    "completed without all pictures": """
        select id::text from generation_generationtask task
        where status = 'completed' and image_count !=
        (select count(*) from generation_generatedimage where task_id = task.id)""",
    "slots that are still held": """
        select model || ' #' || number from generation_modelslot where task_id is not null""",
}


def findings(
    production: Production,
    plan: Plan,
    clients: list[Client],
    journals: Mapping[str, Path],
    replicas: int,
    rests: list[Rest],
) -> list[Finding]:
    """`journals` by the name of the model server, each with `replicas`."""
    entries = {name: entries_of(journal) for name, journal in journals.items()}
    return [
        *(of_rows(law, production.query(sql)) for law, sql in COUNTS.items()),
        of_rows("planned tasks without a task", planned_tasks_without_a_task(production, clients)),
        Finding("tasks that were not planned", surplus(production, plan)),
        of_rows("states that are not the fold of their log", unfolded(production)),
        of_rows("rows without a whole file", rows_without_a_file(production)),
        of_rows("logs that a client saw wrongly", wrong_client_logs(production, clients)),
        *(overrun(name, each, replicas) for name, each in entries.items()),
        of_rows("aborts at a server without the call", misdirected_aborts(entries)),
        of_rows("calls to a server while it rested", calls_during_rests(entries, rests)),
        of_rows(
            "calls beside the one that tries a rested server", calls_beside_trials(entries, rests)
        ),
        of_rows("failing servers without a rest", missing_rests(plan, rests)),
        Finding("A's tasks begun before B's single one", waited_behind(production), FIRST_FEW),
    ]


def of_rows(law: str, rows: Iterable[Any]) -> Finding:
    found = list(rows)
    return Finding(law, len(found), example=str(found[0]) if found else "")


def planned_tasks_without_a_task(production: Production, clients: list[Client]) -> list[str]:
    rows = production.query("select request_key::text from generation_generationtask")
    return [key for client in clients for key in client.asked if (key,) not in rows]


def surplus(production: Production, plan: Plan) -> int:
    ((count,),) = production.query("select count(*) from generation_generationtask")
    return max(0, int(count) - len(plan.planned_tasks))


def unfolded(production: Production) -> list[str]:
    """Tasks whose row says something else than reduce(log)."""
    frames: dict[str, list[Any]] = {}
    for task_id, frame in production.query(
        "select task_id::text, frame from generation_taskevent order by task_id, seq"
    ):
        frames.setdefault(task_id, []).append(json.loads(frame))
    wrong = []
    for task_id, seq, status, step, progress, attempt in production.query(
        "select id::text, newest_seq, status, step, progress, attempt"
        " from generation_generationtask"
    ):
        state = fold(empty_state(task_id), frames[task_id])
        summary = (
            state["seq"],
            state["status"],
            state["step"],
            state["progress"],
            state["attempt"],
        )
        if summary != (seq, status, step, progress, attempt):
            wrong.append(f"{task_id}: {summary}")
    return wrong


def rows_without_a_file(production: Production) -> list[str]:
    media = production.folder / "data" / "media"
    rows = production.query("select file, bytes from generation_generatedimage")
    return [
        name
        for name, size in rows
        if not (media / name).is_file() or (media / name).stat().st_size != size
    ]


def wrong_client_logs(production: Production, clients: list[Client]) -> list[str]:
    """Each client must have seen 1 … n of each of its tasks, once each and in order."""
    newest = dict(production.query("select id::text, newest_seq from generation_generationtask"))
    return [
        f"{client.name} {task_id}: {seqs} of {newest.get(task_id)}"
        for client in clients
        for task_id in client.seen.keys() | set(client.accepted.values())
        if (seqs := client.seen.get(task_id, [])) != list(range(1, newest.get(task_id, 0) + 1))
    ]


def entries_of(journal: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.read_text().splitlines()]


def overrun(server: str, entries: list[dict[str, Any]], replicas: int) -> Finding:
    """Calls above the number of replicas: they would wait at the model, invisible to the studio."""
    running: set[str] = set()
    most, when = 0, ""
    for entry in entries:
        match entry["what"]:
            case "start":
                running.clear()
            case "came":
                running.add(entry["id"])
            case "left":
                running.discard(entry["id"])
        if len(running) > most:
            most, when = len(running), f"{len(running)} at {entry['at']}"
    return Finding(f"calls above the replicas of {server}", max(0, most - replicas), example=when)


def misdirected_aborts(entries: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """Aborts that a server received while the call was at another one.

    A call that no server received is aborted where it was sent.
    """
    at: defaultdict[str, set[str]] = defaultdict(set)
    for server, lines in entries.items():
        for line in lines:
            if line["what"] in CALLS:
                at[line["id"]].add(server)
    return [
        f"{line['id']} at {server} instead of {at[line['id']]}"
        for server, lines in entries.items()
        for line in lines
        if line["what"] == "abort" and line["id"] in at and server not in at[line["id"]]
    ]


def calls_during_rests(entries: Mapping[str, list[dict[str, Any]]], rests: list[Rest]) -> list[str]:
    return [
        f"{each} at {rest.server}, which rested from {rest.seen} until {rest.until}"
        for rest in rests
        for each in call_times(entries, rest.server)
        if rest.seen + UNDER_WAY < each < rest.until
    ]


def calls_beside_trials(
    entries: Mapping[str, list[dict[str, Any]]], rests: list[Rest]
) -> list[str]:
    """Where a rest goes on, a trial call began or has failed: no other call begins with it.

    A trial that succeeds ends the rest, and others may begin.
    """
    goes_on = [
        later
        for earlier, later in pairwise(sorted(rests, key=lambda rest: (rest.server, rest.seen)))
        if earlier.server == later.server and later.seen - earlier.until < LOOK_AGAIN
    ]
    begun = {
        (rest.server, rest.seen): [
            each
            for each in call_times(entries, rest.server)
            if rest.seen - LOOK_AGAIN < each < min(rest.seen + UNDER_WAY, rest.until)
        ]
        for rest in goes_on
    }
    return [f"{times} at {server}" for (server, _seen), times in begun.items() if len(times) > 1]


def call_times(entries: Mapping[str, list[dict[str, Any]]], server: str) -> list[float]:
    return [line["at"] for line in entries.get(server, []) if line["what"] in CALLS]


def missing_rests(plan: Plan, rests: list[Rest]) -> list[str]:
    """The server that fails every call has to be rested, or the laws of rests prove nothing."""
    expected = {LYING} if plan.servers > 1 else set()
    return sorted(expected - {rest.server for rest in rests})


def waited_behind(production: Production) -> int:
    """How many tasks of person 0 were claimed while the one of person 1 waited."""
    ((count,),) = production.query(
        "select count(*) from generation_taskevent event"
        " join generation_generationtask task on task.id = event.task_id"
        " join auth_user owner on owner.id = task.owner_id and owner.username = 'person-0',"
        " (select b.created, min(claim.created_at) as claimed from generation_generationtask b"
        "  join auth_user on auth_user.id = b.owner_id and username = 'person-1'"
        "  join generation_taskevent claim on claim.task_id = b.id and claim.kind = 'claimed'"
        "  group by b.created) as single"
        " where event.kind = 'claimed' and event.created_at > single.created"
        " and event.created_at < single.claimed"
    )
    return int(count)


def still_signed_in(client: Client) -> Finding:
    """The account behind this client was disabled while its socket was open."""
    open_still = 4403 not in client.closes
    return Finding("sockets that outlived their account", int(open_still), example=client.name)


def summary_of(production: Production, clients: list[Client]) -> list[str]:
    """What happened, in numbers."""
    statuses = production.query(
        "select status, count(*) from generation_generationtask group by 1 order by 1"
    )
    reasons = production.query(
        "select kind, details->>'reason', details->>'code', count(*) from generation_taskevent"
        " where kind in ('interrupted', 'delayed', 'failed') group by 1, 2, 3 order by 4 desc"
    )
    ((events, attempts),) = production.query(
        "select (select count(*) from generation_taskevent),"
        " (select sum(attempt) from generation_generationtask)"
    )
    closes: Counter[int] = sum((client.closes for client in clients), Counter())
    errors: Counter[str] = sum((client.errors for client in clients), Counter())
    return [
        "tasks: " + ", ".join(f"{count} {status}" for status, count in statuses),
        f"events: {events}; attempts: {attempts}",
        "on the way: "
        + ", ".join(f"{kind} {reason or code} × {n}" for kind, reason, code, n in reasons),
        "sockets closed: " + ", ".join(f"{code} × {n}" for code, n in sorted(closes.items())),
        "refusals: " + (", ".join(f"{code} × {n}" for code, n in errors.items()) or "none"),
    ]
