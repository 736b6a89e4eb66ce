"""Cat, birds, koi."""

from __future__ import annotations

import math

import numpy as np

from demo_xinference.painting import brush
from demo_xinference.painting.canvas import Canvas, Colour, Point, Points, mix
from demo_xinference.painting.palette import Palette
from demo_xinference.painting.people import placed


def cat(c: Canvas, p: Palette, at: Point, size: float, colour: Colour) -> None:
    """Sitting, from behind, looking away; `at` is where it sits."""
    mirrored = bool(c.rng.random() < 0.5)

    def curve(*points: Point, count: int = 60) -> Points:
        return placed(
            [tuple(each) for each in brush.smooth(list(points), count)], at, size, mirrored=mirrored
        )

    tail = curve((0.26, -0.06), (0.50, 0.02), (0.66, 0.22), (0.58, 0.46), (0.42, 0.50))
    c.stamp([brush.stroke(tail, 0.10 * size, start=1, end=0.55)], colour, opacity=0.99)
    body = curve(
        (-0.34, 0.02),
        (-0.36, -0.26),
        (-0.24, -0.58),
        (-0.13, -0.74),
        (0.13, -0.74),
        (0.24, -0.58),
        (0.36, -0.26),
        (0.34, 0.02),
        (0.12, 0.06),
        (-0.12, 0.06),
    )
    c.stamp([body], colour, opacity=0.99)
    head = curve(
        (-0.20, -0.78),
        (-0.215, -0.92),
        (-0.185, -1.18),
        (-0.085, -1.045),
        (0.085, -1.045),
        (0.185, -1.18),
        (0.215, -0.92),
        (0.20, -0.78),
        (0.08, -0.70),
        (-0.08, -0.70),
    )
    c.stamp([head], colour, opacity=0.99)
    for side in (-1, 1):
        whisker = curve((side * 0.18, -0.85), (side * 0.30, -0.87), (side * 0.38, -0.85), count=10)
        c.stamp([brush.stroke(whisker, max(0.8, 0.012 * size))], colour, opacity=0.8)
    rim = curve((-0.335, -0.16), (-0.30, -0.42), (-0.2, -0.66))
    c.stamp(
        [brush.stroke(rim, 0.022 * size, start=0.3)],
        mix(colour, p.disc, 0.6),
        opacity=0.55,
        soft=0.01 * size,
    )


def bird(c: Canvas, at: Point, size: float, colour: Colour) -> None:
    """A far bird: two strokes."""
    lift = float(c.rng.uniform(0.2, 0.55))
    for side in (-1, 1):
        wing = brush.smooth(
            [
                at,
                (at[0] + side * 0.5 * size, at[1] - lift * size),
                (at[0] + side * size, at[1] - 0.35 * lift * size),
            ],
            14,
        )
        c.stamp([brush.stroke(wing, max(1.0, 0.13 * size), start=1, end=0.2)], colour, opacity=0.85)


def flock(c: Canvas, p: Palette, centre: Point, count: int, size: float) -> None:
    for k in range(count):
        side = 1 if k % 2 else -1
        back = (k + 1) // 2
        x = centre[0] + side * back * size * 2.3 + float(c.rng.normal(0, 0.5)) * size
        y = centre[1] + back * size * 1.1 + float(c.rng.normal(0, 0.4)) * size
        bird(c, (x, y), size * float(c.rng.uniform(0.7, 1.1)), mix(p.ink, p.near, 0.3))


def crane(c: Canvas, p: Palette, at: Point, size: float, *, mirrored: bool) -> None:
    """A red-crowned crane in flight, neck stretched, wings raised."""
    white = (0.975, 0.97, 0.95)

    def curve(*points: Point, count: int = 40) -> Points:
        return placed(
            [tuple(each) for each in brush.smooth(list(points), count)], at, size, mirrored=mirrored
        )

    def feather(base: Point, tip: Point, width: float, colour: Colour) -> None:
        start, end = placed([base, tip], at, size, mirrored=mirrored)
        angle = math.atan2(end[1] - start[1], end[0] - start[0])
        c.stamp(
            [brush.leaf(tuple(start), angle, float(np.hypot(*(end - start))), width * size, 0.12)],
            colour,
            opacity=0.95,
        )

    edge = mix(p.far, p.haze, 0.4)
    legs = [
        curve((-0.42, 0.02), (-0.72, 0.07), (-0.98, 0.06)),
        curve((-0.40, 0.05), (-0.70, 0.11), (-0.94, 0.11)),
    ]
    c.stamp(
        [brush.stroke(each, max(1.0, 0.018 * size), end=0.7) for each in legs], p.ink, opacity=0.9
    )
    for k in range(9):
        t = k / 8
        feather(
            (0.02 - 0.22 * t, -0.10),
            (-0.62 + 0.36 * t - 0.1, -0.34 - 0.52 * t),
            0.10,
            p.ink if t < 0.62 else white,
        )
    for k in range(8):
        t = k / 7
        feather(
            (0.12 - 0.3 * t, -0.05),
            (-0.28 + 0.46 * t, -0.60 - 0.30 * t),
            0.12,
            mix(white, edge, 0.55 * (1 - t)),
        )
    far = curve(
        (0.12, -0.07), (0.22, -0.45), (0.34, -0.86), (0.16, -0.62), (-0.06, -0.30), (-0.2, -0.1)
    )
    c.stamp([far], white, shade=edge, opacity=0.97)
    for k in range(7):
        t = k / 6
        feather(
            (0.26 - 0.02 * t, -0.50 - 0.25 * t),
            (0.02 + 0.42 * t, -0.92 - 0.20 * t + 0.1 * t * t),
            0.075,
            p.ink,
        )
    body = curve(
        (-0.46, 0.0), (-0.2, 0.12), (0.1, 0.11), (0.32, 0.0), (0.15, -0.11), (-0.15, -0.12)
    )
    c.stamp([body], white, shade=mix(white, edge, 0.55), opacity=0.99)
    neck = curve((0.26, 0.0), (0.46, -0.03), (0.64, -0.10), (0.82, -0.13))
    c.stamp([brush.stroke(neck, 0.095 * size, start=1, end=0.55)], white, opacity=0.99)
    throat = curve((0.40, 0.005), (0.56, -0.05), (0.74, -0.10))
    c.stamp([brush.stroke(throat, 0.045 * size, start=0.3, end=1)], p.ink, opacity=0.95)
    head = placed([(0.83, -0.135)], at, size, mirrored=mirrored)[0]
    c.stamp([brush.ellipse(tuple(head), 0.048 * size, 0.038 * size)], white)
    c.stamp(
        [brush.stroke(curve((0.86, -0.135), (1.0, -0.125), (1.05, -0.12)), 0.022 * size)],
        mix(p.ink, p.foot, 0.4),
    )
    crown = placed([(0.835, -0.165)], at, size, mirrored=mirrored)[0]
    c.stamp([brush.ellipse(tuple(crown), 0.035 * size, 0.017 * size)], p.accent, opacity=0.98)


def koi(c: Canvas, p: Palette, at: Point, size: float, heading: float, kind: int) -> None:
    """A carp from above; `heading` in radians, `kind` chooses its pattern."""
    rng = c.rng
    bend = float(rng.choice([-1, 1])) * float(rng.uniform(0.25, 0.6))
    t = np.linspace(0, 1, 40)
    turn = heading + bend * (t - 0.3)
    spine = np.stack([-np.cumsum(np.cos(turn)), -np.cumsum(np.sin(turn))], axis=1) * size / 40
    spine = spine - spine[12] + np.asarray(at)
    normal = np.stack([-np.sin(turn), np.cos(turn)], axis=1)
    half = (
        0.125 * size * (np.sin(np.pi * np.clip(t * 0.94 + 0.03, 0, 1)) ** 0.62) * (1.12 - 0.85 * t)
    )
    body = np.vstack([spine + normal * half[:, None], (spine - normal * half[:, None])[::-1]])
    red = mix(p.accent, (0.95, 0.42, 0.16), 0.35)
    base, patch = [((0.97, 0.95, 0.91), red), (red, (0.98, 0.94, 0.88)), ((0.16, 0.18, 0.2), red)][
        kind % 3
    ]
    c.stamp([brush.shifted(body, 0.03 * size, 0.06 * size)], p.ink, opacity=0.28, soft=0.04 * size)
    fin = mix(base, p.water, 0.30)
    for side in (-1, 1):
        for k, reach, wide in ((11, 0.22, 0.15), (23, 0.12, 0.08)):
            root = spine[k] + side * normal[k] * half[k] * 0.8
            angle = turn[k] + math.pi - side * 0.95
            c.stamp([brush.petal(tuple(root), angle, reach * size, wide * size)], fin, opacity=0.72)
    for spread in (-0.42, -0.1, 0.22, 0.45):
        c.stamp(
            [
                brush.leaf(
                    tuple(spine[-2]),
                    turn[-1] + math.pi + spread,
                    0.34 * size,
                    0.09 * size,
                    -0.5 * bend,
                )
            ],
            fin,
            opacity=0.72,
        )
    c.stamp([body], base, opacity=0.98, dry=0.05)
    marks = []
    for k in (4, 13, 22, 30):
        if rng.random() < 0.8:
            centre = spine[k] + normal[k] * half[k] * float(rng.uniform(-0.5, 0.5))
            marks.append(
                brush.ellipse(
                    tuple(centre),
                    0.10 * size,
                    0.075 * size * float(rng.uniform(0.7, 1.2)),
                    tilt=float(turn[k]),
                    wobble=0.14,
                    phase=float(rng.uniform(0, 6)),
                )
            )
    found = c.mask([body])
    if found is not None and marks:
        before = c.pixels[found[0], found[1]].copy()
        c.stamp(marks, patch, opacity=0.95)
        c.pixels[found[0], found[1]] = (
            before + (c.pixels[found[0], found[1]] - before) * found[2][..., None]
        )
    c.stamp(
        [brush.stroke(spine[6:34], 0.022 * size, start=0.5, end=0.3)],
        mix(base, p.ink, 0.35),
        opacity=0.5,
    )
    for side in (-1, 1):
        eye = spine[3] + side * normal[3] * half[3] * 0.75
        c.stamp([brush.ellipse(tuple(eye), 0.014 * size, 0.014 * size)], p.ink, opacity=0.95)
