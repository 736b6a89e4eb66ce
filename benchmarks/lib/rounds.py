"""The order in which sides run: it alternates, so that none always runs first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def alternating(sides: Iterable[T], number: int) -> list[T]:
    """The sides, in reverse order in every second round."""
    return list(sides) if number % 2 == 0 else list(sides)[::-1]
