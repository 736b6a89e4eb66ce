"""Outlines of single marks: strokes, leaves, petals, ellipses. All in pixels.

A point (x, y) is computed as x + yi: a product with i turns it by a right angle, in one call for
both coordinates of thousands of leaves.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from demo_xinference.painting.canvas import Point, Points

Complex = npt.NDArray[np.complexfloating[Any, Any]]

BLADE = np.linspace(0, 1, 18)
BLADE_WIDTHS = 0.5j * np.sin(np.pi * BLADE**0.75) ** 0.9
PETAL = np.linspace(0, 1, 16)
PETAL_WIDTHS = 0.5j * np.sin(np.pi * PETAL) ** 0.7 * (0.45 + 0.75 * PETAL)
ROUND = np.linspace(0, 2 * math.pi, 64, endpoint=False)
CIRCLE = np.exp(1j * ROUND)


def as_points(places: Complex) -> Points:
    """Points as rows (x, y)."""
    return places.view(np.float64).reshape(-1, 2)


def around(spine: Complex, side: Complex) -> Points:
    """The outline at `side` to both sides of a spine."""
    return as_points(np.concatenate((spine + side, (spine - side)[::-1])))


@lru_cache(maxsize=64)
def shares(count: int) -> npt.NDArray[np.float64]:
    """Shares 0..1 of the way along `count` points."""
    return np.linspace(0, 1, count)


@lru_cache(maxsize=64)
def swell(count: int) -> npt.NDArray[np.float64]:
    """Widths of a stroke that is pressed on in its middle."""
    return 0.75 + 0.25 * np.sin(np.pi * shares(count))


def smooth(points: Sequence[Point], count: int = 24) -> Points:
    """A Catmull-Rom curve through the points."""
    knots = np.asarray(points, dtype=np.float64)
    if len(knots) < 3:
        return np.linspace(knots[0], knots[-1], count)
    ends = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    place = np.linspace(0, len(knots) - 1, count)
    at = np.minimum(place.astype(int), len(knots) - 2)
    t = (place - at)[:, None]
    a, b, c, d = (ends[at + i] for i in range(4))
    curve: Points = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    return curve


def stroke(path: Points, width: float, *, start: float = 1.0, end: float = 0.15) -> Points:
    """A brush stroke: `start` and `end` are its widths there, as shares of `width`."""
    spine = np.ascontiguousarray(path).view(np.complex128).ravel()
    tangent = np.empty_like(spine)
    tangent[0], tangent[-1] = spine[1] - spine[0], spine[-1] - spine[-2]
    tangent[1:-1] = spine[2:] - spine[:-2]
    tangent /= np.maximum(np.abs(tangent), 1e-9)
    widths = (start + (end - start) * shares(len(spine))) * swell(len(spine))
    return around(spine, tangent * (0.5j * width * widths))


def leaf(base: Point, angle: float, length: float, width: float, bend: float = 0.0) -> Points:
    """A blade from `base`, pointed at both ends, widest before its middle."""
    along = np.exp(1j * (angle + bend * BLADE))
    spine = (np.cumsum(along) - along[0]) * (length / len(along)) + complex(*base)
    return around(spine, along * (width * BLADE_WIDTHS))


def petal(base: Point, angle: float, length: float, width: float) -> Points:
    """Narrow at the base, round and slightly pointed at the tip."""
    along = cmath.rect(1, angle)
    return around(PETAL * (length * along) + complex(*base), PETAL_WIDTHS * (width * along))


def ellipse(
    centre: Point,
    across: float,
    along: float,
    *,
    tilt: float = 0.0,
    wobble: float = 0.0,
    phase: float = 0.0,
) -> Points:
    """Half axes `across` (x) and `along` (y); `wobble` makes the rim uneven."""
    rim = across * CIRCLE.real + 1j * along * CIRCLE.imag
    if wobble:
        wave = np.sin(3 * ROUND + phase) + 0.6 * np.sin(5 * ROUND + 2.1 * phase)
        rim = rim * (1 + wobble * wave)
    return as_points(rim * cmath.rect(1, tilt) + complex(*centre))


def polygon(*points: Point) -> Points:
    return np.asarray(points, dtype=np.float64)


def shifted(outline: Points, right: float, down: float) -> Points:
    moved: Points = outline + np.asarray([right, down])
    return moved
