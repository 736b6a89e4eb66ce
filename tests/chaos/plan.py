"""The plan of one run, which follows from its seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

ENGINES = ("diffusers", "diffusers", "vllm")
"""diffusers can abort a call; calls of vllm must not be aborted and have no progress."""

SLOW, FLAPPING, LYING = "slow", "flapping", "lying"
"""Of three model servers: one that draws slowly, one that dies and returns, and one that is always
ready and fails every call."""


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task that `person` submits at `at` seconds and cancels `cancel_after` seconds later."""

    at: float
    person: int
    n: int
    steps: int
    cancel_after: float | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of `target`, a part or a kind of part, at `at` seconds."""

    at: float
    kind: str
    target: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    engine: str
    people: int
    seconds: float
    planned_tasks: list[PlannedTask]
    faults: list[Fault]
    model_faults: list[dict[str, Any]]
    servers: int


def plan_of(seed: int, *, tasks: int, people: int, seconds: float, servers: int = 1) -> Plan:
    """Person 0 submits a third of all tasks at once, person 1 a single one afterwards."""
    chance = random.Random(seed)
    hundred = tasks // 3
    planned_tasks = [planned_task(chance, person=0, at=1.0) for _ in range(hundred)]
    planned_tasks.append(PlannedTask(at=8.0, person=1, n=1, steps=6, cancel_after=None))
    for number in range(tasks - hundred - 1):
        at = chance.uniform(2.0, 0.8 * seconds)
        planned_tasks.append(planned_task(chance, person=2 + number % (people - 2), at=at))
    return Plan(
        seed=seed,
        engine=ENGINES[seed % len(ENGINES)],
        people=people,
        seconds=seconds,
        planned_tasks=sorted(planned_tasks, key=lambda each: each.at),
        faults=sorted(faults(chance, seconds, servers), key=lambda each: each.at),
        model_faults=model_faults(chance, tasks),
        servers=servers,
    )


def planned_task(chance: random.Random, *, person: int, at: float) -> PlannedTask:
    cancelled = chance.random() < 0.1
    return PlannedTask(
        at=at,
        person=person,
        n=chance.choice([1, 1, 1, 1, 1, 2]),
        steps=chance.randint(4, 10),
        cancel_after=chance.uniform(0.0, 20.0) if cancelled else None,
    )


def faults(chance: random.Random, seconds: float, servers: int) -> list[Fault]:
    """Every kind at least once, at random times."""
    outages = [("kill", "model", 3.0)] if servers == 1 else [("kill", FLAPPING, 4.0)] * 5
    planned = [
        *[("kill", "worker", 0.0)] * 3,
        *[("terminate", "worker", 0.0)] * 2,
        ("freeze", "worker", 12.0),
        ("freeze", "worker", 9.0),
        *[("kill", "web", 0.0)] * 2,
        *[("terminate", "web", 0.0)] * 2,
        ("restart", "postgres", 1.0),
        ("crash", "postgres", 2.0),
        ("restart", "redis", 1.0),
        ("restart", "redis", 60.0),
        *outages,
        *[("kill", "painter", 0.0)] * 2,
    ]
    return [
        Fault(
            at=10.0 if length == 60.0 else chance.uniform(10.0, seconds - 15.0),
            kind=kind,
            target=target,
            seconds=length,
        )
        for kind, target, length in planned
    ]


def model_faults(chance: random.Random, tasks: int) -> list[dict[str, Any]]:
    """Faults of the model itself, at random calls."""
    kinds: list[dict[str, Any]] = [
        {"do": "status", "status": 500, "detail": "CUDA out of memory"},
        {"do": "status", "status": 429, "detail": "Rate limit reached for the model."},
        {"do": "status", "status": 503, "detail": "Model is loading", "retry_after": 2},
        {"do": "hang"},
        {"do": "drop", "step": 0},
        {"do": "drop", "step": 2},
        {"do": "die", "step": 2},
        {"do": "stall", "step": 2, "seconds": 4},
        {"do": "freeze_progress", "step": 2},
        {"do": "creep", "seconds": 20},
        {"do": "delay_decode", "seconds": 2},
        {"do": "not_json"},
        {"do": "nonsense", "kind": "lists"},
        {"do": "nonsense", "kind": "bomb"},
    ]
    # in the first half of the calls: a restart of the model resets its count
    faults = [{**kind, "match": {"call": chance.randrange(5, tasks // 2)}} for kind in 2 * kinds]
    # a connection that breaks while the model continues beyond the patience of the worker
    dropped = {"match": {"call": chance.randrange(5, tasks // 2)}, "step": 2}
    faults += [{"do": "drop", **dropped}, {"do": "stall", "seconds": 6, **dropped}]
    return faults + nonsense(chance)


def nonsense(chance: random.Random) -> list[dict[str, Any]]:
    """Useless responses to all requests but pictures, after each start of the model server."""
    places = {"models": 4, "replicas": 2, "progress": 20, "abort": 2}
    kinds = ("absurd", "bomb", "bytes", "deep", "empty", "html", "lists", "null")
    return [
        {"do": "nonsense", "on": place, "kind": chance.choice(kinds), "times": times}
        for place, times in places.items()
    ]
