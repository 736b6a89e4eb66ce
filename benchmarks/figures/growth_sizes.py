"""The sizes of the growth figure: one grows at a time, all others stay small."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    rounds: int
    queues: list[int]
    logs: list[int]
    galleries: list[int]
    watchers: list[int]
    rates: list[int]
    processes: list[int]
    people: int
    seconds: float
    events: int


QUICK = Size(
    rounds=1,
    queues=[100, 1_000],
    logs=[20, 50],
    galleries=[100, 200],
    watchers=[2, 10],
    rates=[1, 3],
    processes=[1, 2],
    people=5,
    seconds=1.0,
    events=5,
)
WHOLE = Size(
    rounds=5,
    queues=[1_000, 3_000, 10_000, 30_000, 100_000],
    logs=[30, 100, 300, 1_000, 3_000],
    galleries=[100, 1_000, 10_000, 100_000],
    watchers=[1, 3, 10, 30, 100, 300, 1_000],
    rates=[1, 2, 4, 8, 16, 24],
    processes=[1, 2, 3, 4],
    people=60,
    seconds=6.0,
    events=40,
)
