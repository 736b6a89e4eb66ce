"""Outlines of single marks: strokes, leaves, petals, ellipses. All in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from demo_xinference.painting.canvas import Point, Points


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
    tangent = np.gradient(path, axis=0)
    length = np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) / length[:, None]
    t = np.linspace(0, 1, len(path))
    profile = (start + (end - start) * t) * (0.75 + 0.25 * np.sin(np.pi * t))
    side = normal * (0.5 * width * profile)[:, None]
    return np.vstack([path + side, (path - side)[::-1]])


def leaf(base: Point, angle: float, length: float, width: float, bend: float = 0.0) -> Points:
    """A blade from `base`, pointed at both ends, widest before its middle."""
    t = np.linspace(0, 1, 18)
    turn = angle + bend * t
    step = length / len(t)
    spine = np.stack([np.cumsum(np.cos(turn)), np.cumsum(np.sin(turn))], axis=1) * step
    spine = spine - spine[0] + np.asarray(base)
    normal = np.stack([-np.sin(turn), np.cos(turn)], axis=1)
    half = 0.5 * width * np.sin(np.pi * t**0.75) ** 0.9
    return np.vstack([spine + normal * half[:, None], (spine - normal * half[:, None])[::-1]])


def petal(base: Point, angle: float, length: float, width: float) -> Points:
    """Narrow at the base, round and slightly pointed at the tip."""
    t = np.linspace(0, 1, 16)
    half = 0.5 * width * np.sin(np.pi * t) ** 0.7 * (0.45 + 0.75 * t)
    along = np.asarray([math.cos(angle), math.sin(angle)])
    across = np.asarray([-along[1], along[0]])
    spine = np.asarray(base) + t[:, None] * length * along
    return np.vstack([spine + half[:, None] * across, (spine - half[:, None] * across)[::-1]])


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
    t = np.linspace(0, 2 * math.pi, 64, endpoint=False)
    rim = 1 + wobble * (np.sin(3 * t + phase) + 0.6 * np.sin(5 * t + 2.1 * phase))
    x, y = across * rim * np.cos(t), along * rim * np.sin(t)
    cos, sin = math.cos(tilt), math.sin(tilt)
    return np.stack([centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos], axis=1)


def polygon(*points: Point) -> Points:
    return np.asarray(points, dtype=np.float64)


def shifted(outline: Points, right: float, down: float) -> Points:
    moved: Points = outline + np.asarray([right, down])
    return moved
