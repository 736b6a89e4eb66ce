"""Failed tasks by their error and by the step in which they failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from django.utils.translation import gettext as _

from generation.admin.filters import short_error
from generation.choice_labels import label
from generation.choices import Step

MOST_CODES = 6
"""Rows of the most frequent errors; the others are in one."""

LEVELS = 4
"""Shades of a cell."""

OTHER = ""


@dataclass(frozen=True, slots=True)
class FailureCell:
    """`level`: 1 to LEVELS; 0 without a failure."""

    count: int
    level: int


@dataclass(frozen=True, slots=True)
class FailureGrid:
    """Steps in which a task failed, and a row of cells for each error."""

    steps: list[str]
    rows: list[tuple[str, list[FailureCell]]]


def failure_grid(failures: Mapping[tuple[str, str], int]) -> FailureGrid:
    """`failures`: tasks by step and error code. The most frequent errors come first."""
    by_code: Counter[str] = Counter()
    for (_step, code), count in failures.items():
        by_code[code] += count
    first = [code for code, _count in by_code.most_common(MOST_CODES)]
    codes = [*first, OTHER] if len(by_code) > len(first) else first
    cells: Counter[tuple[str, str]] = Counter()
    for (step, code), count in failures.items():
        cells[step, code if code in first else OTHER] += count
    most = max(cells.values(), default=1)
    steps = [step for step in Step if any(name == step for name, _code in cells)]
    return FailureGrid(
        steps=[label("step", step) for step in steps],
        rows=[
            (error_text(code), [cell(cells[step.value, code], most) for step in steps])
            for code in codes
        ],
    )


def error_text(code: str) -> str:
    """The error without its advice."""
    return (short_error(code) or code) if code else _("other errors")


def cell(count: int, most: int) -> FailureCell:
    return FailureCell(count, ceil(LEVELS * count / most))
