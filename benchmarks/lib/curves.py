"""Growth curves: points, their exponent, and the CSV file that keeps them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import linear_regression, median

COLUMNS = (
    "curve",
    "what grows",
    "size",
    "what is measured",
    "median",
    "lowest",
    "highest",
    "ideal",
)
TOLERANCE = 0.05
"""Smaller differences of exponents are ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """`points`: size → measured value of each round; `ideal` is the exponent of a studio without
    limits, 0 for constant cost."""

    name: str
    size: str
    measured: str
    points: dict[int, list[float]]
    ideal: float
    is_gain: bool = False
    """Higher values are better."""

    def medians(self) -> list[tuple[int, float]]:
        return [(size, median(values)) for size, values in self.points.items()]

    def exponent(self) -> float:
        """k of size ** k, by least squares through the logarithms of all points."""
        return slope(self.medians(), log)

    def upper_exponent(self) -> float:
        """The exponent of the larger half, where constant cost weighs less."""
        return slope(self.upper_half(), log)

    def upper_half(self) -> list[tuple[int, float]]:
        """Two points at least."""
        points = self.medians()
        return points[min((len(points) - 1) // 2, len(points) - 2) :]

    def grows_too_fast(self) -> bool:
        """Whether a cost grows faster than n log n at its end."""
        upper = [(size, value) for size, value in self.upper_half() if size > 1]
        if self.is_gain or len(upper) < 2:
            return False
        return slope(upper, lambda n: log(n * log(n))) > 1 + TOLERANCE


def slope(points: Sequence[tuple[int, float]], scale: Callable[[float], float]) -> float:
    """Of log(value) over `scale(size)`."""
    sizes, values = zip(*points, strict=True)
    return linear_regression([scale(n) for n in sizes], [log(v) for v in values]).slope


def write_csv(path: Path, curves: Iterable[Curve]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for curve in curves:
            for size, values in curve.points.items():
                values_text = (f"{each:.4g}" for each in (median(values), min(values), max(values)))
                rows.writerow(
                    [curve.name, curve.size, size, curve.measured, *values_text, f"{curve.ideal:g}"]
                )


def read_csv(path: Path) -> list[Curve]:
    """The written curves; of the rounds only median, lowest and highest are kept."""
    curves: dict[str, Curve] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            curve = curves.setdefault(
                row["curve"],
                Curve(
                    name=row["curve"],
                    size=row["what grows"],
                    measured=row["what is measured"],
                    points={},
                    ideal=float(row["ideal"]),
                ),
            )
            values = [float(row[name]) for name in ("lowest", "median", "highest")]
            curve.points[int(row["size"])] = values
    return list(curves.values())
