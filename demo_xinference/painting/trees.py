"""Willow, pine, bamboo."""

from __future__ import annotations

import math

from demo_xinference.painting import brush
from demo_xinference.painting.canvas import Canvas, Point, Points, mix
from demo_xinference.painting.palette import Palette


def willow(
    c: Canvas, p: Palette, *, anchor: Point, spread: float, drop: float, trunk: bool
) -> None:
    """Strands that hang from `anchor` (pixels) over `spread` pixels, about `drop` long."""
    rng = c.rng
    if trunk:
        willow_trunk(c, p, anchor)
    wind = float(rng.uniform(-0.12, 0.12))
    for layer in range(3):
        near = layer / 2
        colour = mix(mix(p.leaf, p.haze, 0.50), mix(p.leaf, p.ink, 0.20), near)
        leaves: list[Points] = []
        twigs: list[Points] = []
        for _ in range(int(6 + 5 * near)):
            x = anchor[0] + spread * float(rng.normal(0, 0.45))
            y = anchor[1] + float(rng.uniform(-0.05, 0.04)) * c.unit
            length = drop * float(rng.uniform(0.5, 1.15))
            strand(c, (x, y), length, wind, leaves, twigs, 0.6 + 0.5 * near)
        c.stamp(twigs, mix(colour, p.ink, 0.3), opacity=0.75)
        c.stamp(leaves, colour, opacity=0.62 + 0.25 * near)


def strand(
    c: Canvas,
    start: Point,
    length: float,
    wind: float,
    leaves: list[Points],
    twigs: list[Points],
    size: float,
) -> None:
    rng = c.rng
    sway = wind * length + float(rng.normal(0, 0.05)) * length
    path = brush.smooth(
        [
            start,
            (start[0] + 0.35 * sway, start[1] + 0.35 * length),
            (start[0] + 0.8 * sway, start[1] + 0.7 * length),
            (start[0] + sway + 0.2 * wind * length, start[1] + length),
        ],
        40,
    )
    twigs.append(brush.stroke(path, max(0.9, 0.003 * c.unit), start=1, end=0.4))
    blade = 0.030 * c.unit * size
    for k in range(3, 40):
        for side in (-1, 1):
            if rng.random() < 0.72:
                angle = math.pi / 2 + side * float(rng.uniform(0.15, 0.75)) - 1.2 * wind
                taper = 1.1 - 0.5 * k / 40
                leaves.append(
                    brush.leaf(
                        (float(path[k, 0]), float(path[k, 1])),
                        angle,
                        blade * taper * float(rng.uniform(0.6, 1.1)),
                        blade * 0.20,
                        side * 0.25,
                    )
                )


def willow_trunk(c: Canvas, p: Palette, anchor: Point) -> None:
    side = -1 if anchor[0] < c.width / 2 else 1
    foot = (anchor[0] + side * 0.16 * c.unit, c.height * 1.02)
    path = brush.smooth(
        [
            foot,
            (foot[0] - side * 0.05 * c.unit, 0.72 * c.height),
            (foot[0] + side * 0.03 * c.unit, 0.42 * c.height),
            (anchor[0] + side * 0.03 * c.unit, anchor[1] + 0.06 * c.unit),
            (anchor[0] - side * 0.22 * c.unit, anchor[1] - 0.03 * c.unit),
        ],
        60,
    )
    c.stamp(
        [brush.stroke(path, 0.075 * c.unit, start=1.15, end=0.1)],
        mix(p.ink, p.near, 0.25),
        opacity=0.93,
        dry=0.35,
    )
    c.stamp(
        [brush.stroke(brush.shifted(path, 0.010 * c.unit, 0), 0.02 * c.unit, start=1, end=0.1)],
        mix(p.near, p.haze, 0.35),
        opacity=0.35,
        dry=0.8,
    )


def pine(c: Canvas, p: Palette, *, root: Point, height: float, lean: float) -> None:
    """A pine that grew in wind: crooked trunk, flat clouds of needles."""
    rng = c.rng
    points: list[Point] = [root] + [
        (
            root[0] + lean * height * (k / 4) ** 1.4 + float(rng.normal(0, 0.035)) * height,
            root[1] - height * k / 4,
        )
        for k in range(1, 5)
    ]
    path = brush.smooth(points, 50)
    bark = mix(p.ink, p.foot, 0.18)
    c.stamp([brush.stroke(path, 0.085 * height, start=1, end=0.25)], bark, opacity=0.95, dry=0.4)
    for k in (16, 23, 29, 35, 40, 45, 49):
        side = 1 if (k % 2) == 0 else -1
        reach = height * float(rng.uniform(0.16, 0.36)) * (1.15 - 0.6 * k / 50)
        at = (float(path[k, 0]), float(path[k, 1]))
        tip = (at[0] + side * reach, at[1] - float(rng.uniform(-0.04, 0.06)) * height)
        arm = brush.smooth([at, ((at[0] + tip[0]) / 2, at[1] + 0.02 * height), tip], 16)
        c.stamp([brush.stroke(arm, 0.026 * height, end=0.3)], bark, opacity=0.95, dry=0.3)
        for share in (0.45, 0.75, 1.0):
            cushion(
                c,
                p,
                (at[0] + (tip[0] - at[0]) * share, tip[1] - 0.02 * height),
                0.11 * height * float(rng.uniform(0.8, 1.2)),
            )


def cushion(c: Canvas, p: Palette, centre: Point, size: float) -> None:
    rng = c.rng
    c.stamp(
        [brush.ellipse(centre, size, 0.36 * size, wobble=0.06)],
        mix(p.near, p.ink, 0.45),
        opacity=0.6,
        soft=0.06 * size,
    )
    for tone in (0.55, 0.30, 0.05):
        needles = []
        for _ in range(34):
            x = centre[0] + float(rng.normal(0, 0.48)) * size
            y = centre[1] + float(rng.normal(0, 0.16)) * size + 0.10 * size * tone
            angle = -math.pi / 2 + float(rng.normal(0, 0.65))
            needles.append(brush.leaf((x, y), angle, 0.30 * size, max(1.0, 0.028 * size)))
        c.stamp(needles, mix(p.leaf, mix(p.near, p.ink, 0.6), tone), opacity=0.85)


def bamboo(c: Canvas, p: Palette, *, x: float, width: float, tone: float, lean: float) -> None:
    """One culm from below the sheet to above it; `tone` 0 near and dark, 1 far and pale."""
    rng = c.rng
    colour = mix(mix(p.leaf, p.ink, 0.45), p.haze, 0.74 * tone)
    y, at, nodes = c.height * 1.05, x, []
    segment = width * float(rng.uniform(5.0, 7.0))
    while y > -segment:
        upper = y - segment * float(rng.uniform(0.85, 1.15))
        shift = lean * (y - upper)
        body = brush.polygon(
            (at - width / 2, y - 0.1 * width),
            (at + width / 2, y - 0.1 * width),
            (at + shift + width * 0.46, upper + 0.1 * width),
            (at + shift - width * 0.46, upper + 0.1 * width),
        )
        c.stamp([body], colour, opacity=0.9 - 0.35 * tone, dry=0.25, soft=0.5)
        light = body * (0.28, 1) + (0.72 * (at - 0.24 * width), 0)
        c.stamp([light], mix(colour, p.haze, 0.55), opacity=0.35, soft=0.12 * width)
        ring = brush.smooth(
            [
                (at + shift - 0.6 * width, upper + 0.06 * width),
                (at + shift, upper + 0.16 * width),
                (at + shift + 0.6 * width, upper + 0.02 * width),
            ],
            12,
        )
        c.stamp([brush.stroke(ring, 0.13 * width, end=0.8)], mix(colour, p.ink, 0.6 * (1 - tone)))
        nodes.append((at + shift, upper))
        at, y = at + shift, upper
    for node in nodes:
        if rng.random() < 0.55:
            sprig(c, p, node, width, tone)


def sprig(c: Canvas, p: Palette, start: Point, width: float, tone: float) -> None:
    rng = c.rng
    side = 1 if rng.random() < 0.5 else -1
    reach = float(rng.uniform(0.10, 0.24)) * c.unit
    tip = (start[0] + side * reach, start[1] - 0.35 * reach)
    path = brush.smooth([start, (start[0] + side * 0.5 * reach, start[1] - 0.32 * reach), tip], 16)
    colour = mix(mix(p.leaf, p.ink, 0.55 if rng.random() < 0.6 else 0.25), p.haze, 0.74 * tone)
    c.stamp([brush.stroke(path, 0.14 * width, end=0.5)], colour, opacity=0.9)
    blades = []
    for k in (6, 9, 12, 15, 15, 15):
        angle = math.pi / 2 - side * float(rng.uniform(-0.35, 1.15))
        blades.append(
            brush.leaf(
                (float(path[k, 0]), float(path[k, 1])),
                angle,
                0.105 * c.unit * float(rng.uniform(0.65, 1.2)),
                0.0165 * c.unit,
                float(rng.normal(0, 0.2)),
            )
        )
    c.stamp(blades, colour, opacity=0.92 - 0.4 * tone, dry=0.12)
