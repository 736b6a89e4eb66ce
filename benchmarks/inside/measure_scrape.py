"""Read the rows for a scrape of `/metrics` and write its text, in the process of no web."""

from __future__ import annotations

from time import perf_counter

from generation import images
from liujuan_site.metrics import Readings, exposition, read_totals


def run(*, rounds: int) -> list[float]:
    """Milliseconds of each round, after one that is not counted."""
    took = []
    for _number in range(rounds + 1):
        began = perf_counter()
        readings = Readings(
            totals=read_totals(),
            space=images.free_space(),
            connections={},
            followed=0,
            layer="ok",
        )
        exposition(readings)
        took.append((perf_counter() - began) * 1e3)
    return took[1:]
