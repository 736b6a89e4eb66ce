"""Plum, lotus, reeds."""

from __future__ import annotations

import math

import numpy as np

from demo_xinference.painting import brush
from demo_xinference.painting.canvas import Canvas, Colour, Point, Points, mix
from demo_xinference.painting.palette import Palette


def turned(angle: float, length: float) -> tuple[float, float]:
    return math.cos(angle) * length, math.sin(angle) * length


def plum(
    c: Canvas, p: Palette, *, start: Point, angle: float, length: float, bloom: Colour
) -> None:
    """An old branch with blossoms and buds, from `start` (pixels) in direction `angle`."""
    wood: list[tuple[Points, float]] = []
    spots: list[tuple[Point, float]] = []
    grow(c, start, angle, length, 0.050 * c.unit, 0, wood, spots)
    bark = mix(p.ink, p.foot, 0.10 if not p.dark else 0.0)
    for path, width in wood:
        c.stamp([brush.stroke(path, width, start=1, end=0.55)], bark, opacity=0.95, dry=0.30)
    spots = [(centre, size) for centre, size in spots if c.shows(centre, 1.3 * size)]
    c.rng.shuffle(spots)
    for (x, y), size in spots:
        if c.rng.random() < 0.60:
            blossom(c, (x, y), size, bloom)
        else:
            bud(c, (x, y), 0.42 * size, bloom)


def grow(
    c: Canvas,
    start: Point,
    angle: float,
    length: float,
    width: float,
    level: int,
    wood: list[tuple[Points, float]],
    spots: list[tuple[Point, float]],
) -> None:
    rng = c.rng
    points, at, turn = [start], start, angle
    for _ in range(4):
        turn += float(rng.normal(0, 0.26 + 0.08 * level))
        step = turned(turn, length / 4)
        at = (at[0] + step[0], at[1] + step[1])
        points.append(at)
    path = brush.smooth(points, 30)
    wood.append((path, width))
    if level >= 1:
        for k in range(6, 30, 4 if level > 1 else 5):
            if rng.random() < 0.75:
                size = 0.020 * c.unit * float(rng.uniform(0.75, 1.25))
                off = rng.normal(0, 0.008 * c.unit, 2)
                spots.append(((float(path[k, 0] + off[0]), float(path[k, 1] + off[1])), size))
    if level >= 3 or length < 0.05 * c.unit:
        return
    for k in (8, 14, 19, 24, 28):
        if rng.random() < (0.85 if level < 2 else 0.55):
            side = 1 if rng.random() < 0.5 else -1
            grow(
                c,
                (float(path[k, 0]), float(path[k, 1])),
                turn + side * float(rng.uniform(0.45, 1.0)),
                length * float(rng.uniform(0.28, 0.5)),
                width * 0.45,
                level + 1,
                wood,
                spots,
            )


def blossom(c: Canvas, centre: Point, size: float, colour: Colour) -> None:
    turn = float(c.rng.uniform(0, 2 * math.pi))
    pale = mix(colour, (1.0, 0.96, 0.94), 0.30)
    petals = [
        brush.ellipse((centre[0] + dx, centre[1] + dy), 0.62 * size, 0.56 * size, tilt=a)
        for a in (turn + k * 2 * math.pi / 5 for k in range(5))
        for dx, dy in (turned(a, 0.62 * size),)
    ]
    for k, each in enumerate(petals):
        c.stamp([each], mix(colour, pale, (k % 3) / 2), opacity=0.92, dry=0.12)
    tips = (turned(turn + 0.3 + k * 0.9, 0.55 * size) for k in range(7))
    hairs = [
        brush.stroke(np.asarray([centre, (centre[0] + dx, centre[1] + dy)]), max(0.8, 0.07 * size))
        for dx, dy in tips
    ]
    c.stamp(hairs, (0.98, 0.90, 0.62), opacity=0.8)
    c.stamp([brush.ellipse(centre, 0.2 * size, 0.2 * size)], (0.96, 0.84, 0.45))


def bud(c: Canvas, centre: Point, size: float, colour: Colour) -> None:
    c.stamp(
        [brush.ellipse(centre, size, size * 1.1)], mix(colour, (0.3, 0.0, 0.05), 0.15), opacity=0.95
    )


def lotus_leaf(
    c: Canvas, p: Palette, centre: Point, size: float, *, flat: float, tone: float
) -> None:
    """A leaf on the water seen at an angle: `flat` is its height over its width."""
    rng = c.rng
    phase = float(rng.uniform(0, 6))
    rim = brush.ellipse(centre, size, size * flat, wobble=0.035, phase=phase)
    deep = mix(mix(p.near, p.leaf, 0.35), p.ink, 0.25 * tone)
    light = mix(p.leaf, p.haze, 0.18)
    c.stamp(
        [brush.shifted(rim, 0, 0.07 * size)],
        mix(p.ink, p.water, 0.4),
        opacity=0.35,
        soft=0.06 * size,
    )
    c.stamp([rim], mix(light, deep, tone), opacity=0.95, shade=mix(deep, p.ink, 0.1), dry=0.16)
    heart = (centre[0] + 0.05 * size, centre[1] - 0.12 * size * flat)
    glow = brush.ellipse(heart, 0.5 * size, 0.45 * size * flat)
    c.stamp([glow], mix(light, p.haze, 0.3), opacity=0.30, soft=0.16 * size)
    veins = []
    for k in range(15):
        end = rim[(k * 64 // 15) % 64]
        tip = np.asarray(heart) + (end - heart) * 0.93
        middle = (np.asarray(heart) + tip) / 2 + rng.normal(0, 0.015 * size, 2)
        veins.append(
            brush.stroke(
                brush.smooth([heart, tuple(middle), tuple(tip)], 12),
                max(0.9, 0.016 * size),
                end=0.3,
            )
        )
    c.stamp(veins, mix(light, p.haze, 0.45), opacity=0.55)
    c.stamp([brush.ellipse(heart, 0.05 * size, 0.05 * size * flat)], mix(light, p.haze, 0.6))


def lotus_flower(c: Canvas, p: Palette, centre: Point, size: float, tint: Colour) -> None:
    """An open flower: back petals first, the front ones lower and wider."""
    rng = c.rng
    pale = mix(tint, (1.0, 0.97, 0.95), 0.72)
    rows = ((9, 1.00, 1.25, 0.34, 0.35), (7, 0.92, 1.02, 0.40, 0.15), (6, 0.70, 1.35, 0.46, 0.0))
    for count, reach, fan, broad, dark in rows:
        for k in sorted(range(count), key=lambda k: -abs(k - (count - 1) / 2)):
            share = (k / (count - 1) - 0.5) * 2
            angle = -math.pi / 2 + share * fan + float(rng.normal(0, 0.04))
            length = size * reach * (1 - 0.16 * abs(share)) * float(rng.uniform(0.93, 1.05))
            shape = brush.petal(centre, angle, length, broad * size)
            tip, root = mix(tint, (0.75, 0.12, 0.32), 0.22), pale
            c.stamp([shape], mix(tip, p.ink, 0.25), opacity=0.5, soft=0.012 * size)
            c.stamp(
                [0.965 * (shape - centre) + centre],
                mix(tip, pale, 0.12 + 0.25 * (1 - dark)),
                opacity=0.96,
                shade=mix(root, tint, dark),
            )
            vein = np.asarray(centre) + np.linspace(0.25, 0.86, 8)[:, None] * np.asarray(
                turned(angle, length)
            )
            c.stamp([brush.stroke(vein, max(0.8, 0.02 * size), end=0.2)], tip, opacity=0.35)
    pod = (centre[0], centre[1] - 0.30 * size)
    c.stamp([brush.ellipse(pod, 0.16 * size, 0.08 * size)], (0.93, 0.80, 0.38), opacity=0.9)
    for count, fan, broad in ((5, 1.15, 0.42),):
        for k in range(count):
            share = (k / (count - 1) - 0.5) * 2
            angle = -math.pi / 2 + share * fan
            shape = brush.petal(
                (centre[0], centre[1] + 0.06 * size), angle, 0.50 * size, broad * size
            )
            c.stamp([shape], mix(tint, p.ink, 0.2), opacity=0.4, soft=0.012 * size)
            c.stamp(
                [0.96 * (shape - centre) + centre], mix(tint, pale, 0.35), opacity=0.97, shade=pale
            )


def stem(c: Canvas, p: Palette, top: Point, bottom: Point, width: float) -> None:
    bend = float(c.rng.normal(0, 0.03)) * c.unit
    path = brush.smooth([bottom, ((top[0] + bottom[0]) / 2 + bend, (top[1] + bottom[1]) / 2), top])
    c.stamp([brush.stroke(path, width, end=0.8)], mix(p.leaf, p.ink, 0.35), opacity=0.92)


def reeds(c: Canvas, p: Palette, *, x: float, spread: float, height: float) -> None:
    rng = c.rng
    blades: list[Points] = []
    heads: list[Points] = []
    for _ in range(26):
        base = (x + float(rng.normal(0, 1)) * spread, c.height * float(rng.uniform(0.99, 1.04)))
        angle = -math.pi / 2 + float(rng.normal(0, 0.16))
        length = height * float(rng.uniform(0.45, 1.1))
        bend = float(rng.normal(0, 0.35))
        blades.append(brush.leaf(base, angle, length, 0.010 * c.unit, bend))
        if rng.random() < 0.3:
            tip = (
                base[0] + math.cos(angle + 0.4 * bend) * length * 0.96,
                base[1] + math.sin(angle + 0.4 * bend) * length * 0.96,
            )
            heads.extend(
                brush.leaf(
                    (
                        tip[0] + float(rng.normal(0, 0.006)) * c.unit,
                        tip[1] + float(rng.uniform(0, 0.06)) * c.unit,
                    ),
                    angle + bend + float(rng.normal(0, 0.5)),
                    0.034 * c.unit,
                    0.006 * c.unit,
                )
                for _ in range(9)
            )
    c.stamp(blades, mix(p.leaf, p.ink, 0.45), opacity=0.85)
    c.stamp(heads, mix(p.foot, p.haze, 0.35), opacity=0.75)
