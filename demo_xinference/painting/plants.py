"""Willow, pine, plum, bamboo, lotus, reeds."""

from __future__ import annotations

import math

import numpy as np

from demo_xinference.painting import brush
from demo_xinference.painting.canvas import Canvas, Colour, Point, Points, mix
from demo_xinference.painting.palette import Palette


def turned(angle: float, length: float) -> tuple[float, float]:
    return math.cos(angle) * length, math.sin(angle) * length


def willow(c: Canvas, p: Palette, *, anchor: Point, spread: float, drop: float, trunk: bool) -> None:
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
    c: Canvas, start: Point, length: float, wind: float,
    leaves: list[Points], twigs: list[Points], size: float,
) -> None:
    rng = c.rng
    sway = wind * length + float(rng.normal(0, 0.05)) * length
    path = brush.smooth(
        [start, (start[0] + 0.35 * sway, start[1] + 0.35 * length),
         (start[0] + 0.8 * sway, start[1] + 0.7 * length),
         (start[0] + sway + 0.2 * wind * length, start[1] + length)], 40)
    twigs.append(brush.stroke(path, max(0.9, 0.003 * c.unit), start=1, end=0.4))
    blade = 0.030 * c.unit * size
    for k in range(3, 40):
        for side in (-1, 1):
            if rng.random() < 0.72:
                angle = math.pi / 2 + side * float(rng.uniform(0.15, 0.75)) - 1.2 * wind
                taper = 1.1 - 0.5 * k / 40
                leaves.append(brush.leaf(
                    (float(path[k, 0]), float(path[k, 1])), angle,
                    blade * taper * float(rng.uniform(0.6, 1.1)), blade * 0.20, side * 0.25))


def willow_trunk(c: Canvas, p: Palette, anchor: Point) -> None:
    side = -1 if anchor[0] < c.width / 2 else 1
    foot = (anchor[0] + side * 0.16 * c.unit, c.height * 1.02)
    path = brush.smooth([
        foot, (foot[0] - side * 0.05 * c.unit, 0.72 * c.height),
        (foot[0] + side * 0.03 * c.unit, 0.42 * c.height),
        (anchor[0] + side * 0.03 * c.unit, anchor[1] + 0.06 * c.unit),
        (anchor[0] - side * 0.22 * c.unit, anchor[1] - 0.03 * c.unit)], 60)
    c.stamp([brush.stroke(path, 0.075 * c.unit, start=1.15, end=0.1)], mix(p.ink, p.near, 0.25),
            opacity=0.93, dry=0.35)
    c.stamp([brush.stroke(path + (0.010 * c.unit, 0), 0.02 * c.unit, start=1, end=0.1)],
            mix(p.near, p.haze, 0.35), opacity=0.35, dry=0.8)


def plum(c: Canvas, p: Palette, *, start: Point, angle: float, length: float,
         bloom: Colour) -> None:
    """An old branch with blossoms and buds, from `start` (pixels) in direction `angle`."""
    wood: list[tuple[Points, float]] = []
    spots: list[tuple[Point, float]] = []
    grow(c, start, angle, length, 0.050 * c.unit, 0, wood, spots)
    bark = mix(p.ink, p.foot, 0.10 if not p.dark else 0.0)
    for path, width in wood:
        c.stamp([brush.stroke(path, width, start=1, end=0.55)], bark, opacity=0.95, dry=0.30)
    c.rng.shuffle(spots)  # type: ignore[arg-type]
    for (x, y), size in spots:
        if c.rng.random() < 0.60:
            blossom(c, (x, y), size, bloom)
        else:
            bud(c, (x, y), 0.42 * size, bloom)


def grow(
    c: Canvas, start: Point, angle: float, length: float, width: float, level: int,
    wood: list[tuple[Points, float]], spots: list[tuple[Point, float]],
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
            grow(c, (float(path[k, 0]), float(path[k, 1])),
                 turn + side * float(rng.uniform(0.45, 1.0)), length * float(rng.uniform(0.28, 0.5)),
                 width * 0.45, level + 1, wood, spots)


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
    for k in range(7):
        dx, dy = turned(turn + 0.3 + k * 0.9, 0.55 * size)
        hair = np.asarray([centre, (centre[0] + dx, centre[1] + dy)])
        c.stamp([brush.stroke(hair, max(0.8, 0.07 * size))], (0.98, 0.90, 0.62), opacity=0.8)
    c.stamp([brush.ellipse(centre, 0.2 * size, 0.2 * size)], (0.96, 0.84, 0.45))


def bud(c: Canvas, centre: Point, size: float, colour: Colour) -> None:
    c.stamp([brush.ellipse(centre, size, size * 1.1)], mix(colour, (0.3, 0.0, 0.05), 0.15),
            opacity=0.95)


def pine(c: Canvas, p: Palette, *, root: Point, height: float, lean: float) -> None:
    """A pine that grew in wind: crooked trunk, flat clouds of needles."""
    rng = c.rng
    points: list[Point] = [root]
    for k in range(1, 5):
        points.append((root[0] + lean * height * (k / 4) ** 1.4 + float(rng.normal(0, 0.035)) * height,
                       root[1] - height * k / 4))
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
            cushion(c, p, (at[0] + (tip[0] - at[0]) * share, tip[1] - 0.02 * height),
                    0.11 * height * float(rng.uniform(0.8, 1.2)))


def cushion(c: Canvas, p: Palette, centre: Point, size: float) -> None:
    rng = c.rng
    c.stamp([brush.ellipse(centre, size, 0.36 * size, wobble=0.06)], mix(p.near, p.ink, 0.45),
            opacity=0.6, soft=0.06 * size)
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
        body = brush.polygon((at - width / 2, y - 0.1 * width), (at + width / 2, y - 0.1 * width),
                             (at + shift + width * 0.46, upper + 0.1 * width),
                             (at + shift - width * 0.46, upper + 0.1 * width))
        c.stamp([body], colour, opacity=0.9 - 0.35 * tone, dry=0.25, soft=0.5)
        light = body * (0.28, 1) + (0.72 * (at - 0.24 * width), 0)
        c.stamp([light], mix(colour, p.haze, 0.55), opacity=0.35, soft=0.12 * width)
        ring = brush.smooth([(at + shift - 0.6 * width, upper + 0.06 * width), (at + shift, upper + 0.16 * width),
                             (at + shift + 0.6 * width, upper + 0.02 * width)], 12)
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
        blades.append(brush.leaf((float(path[k, 0]), float(path[k, 1])), angle,
                                 0.105 * c.unit * float(rng.uniform(0.65, 1.2)),
                                 0.0165 * c.unit, float(rng.normal(0, 0.2))))
    c.stamp(blades, colour, opacity=0.92 - 0.4 * tone, dry=0.12)


def lotus_leaf(c: Canvas, p: Palette, centre: Point, size: float, *, flat: float, tone: float) -> None:
    """A leaf on the water seen at an angle: `flat` is its height over its width."""
    rng = c.rng
    phase = float(rng.uniform(0, 6))
    rim = brush.ellipse(centre, size, size * flat, wobble=0.035, phase=phase)
    deep = mix(mix(p.near, p.leaf, 0.35), p.ink, 0.25 * tone)
    light = mix(p.leaf, p.haze, 0.18)
    c.stamp([rim + (0, 0.07 * size)], mix(p.ink, p.water, 0.4), opacity=0.35, soft=0.06 * size)
    c.stamp([rim], mix(light, deep, tone), opacity=0.95, shade=mix(deep, p.ink, 0.1), dry=0.16)
    heart = (centre[0] + 0.05 * size, centre[1] - 0.12 * size * flat)
    glow = brush.ellipse(heart, 0.5 * size, 0.45 * size * flat)
    c.stamp([glow], mix(light, p.haze, 0.3), opacity=0.30, soft=0.16 * size)
    veins = []
    for k in range(15):
        end = rim[(k * 64 // 15) % 64]
        tip = np.asarray(heart) + (end - heart) * 0.93
        middle = (np.asarray(heart) + tip) / 2 + rng.normal(0, 0.015 * size, 2)
        veins.append(brush.stroke(brush.smooth([heart, tuple(middle), tuple(tip)], 12),
                                  max(0.9, 0.016 * size), end=0.3))
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
            c.stamp([0.965 * (shape - centre) + centre], mix(tip, pale, 0.12 + 0.25 * (1 - dark)),
                    opacity=0.96, shade=mix(root, tint, dark))
            vein = np.asarray(centre) + np.linspace(0.25, 0.86, 8)[:, None] * np.asarray(
                turned(angle, length))
            c.stamp([brush.stroke(vein, max(0.8, 0.02 * size), end=0.2)], tip, opacity=0.35)
    pod = (centre[0], centre[1] - 0.30 * size)
    c.stamp([brush.ellipse(pod, 0.16 * size, 0.08 * size)], (0.93, 0.80, 0.38), opacity=0.9)
    for count, fan, broad in ((5, 1.15, 0.42),):
        for k in range(count):
            share = (k / (count - 1) - 0.5) * 2
            angle = -math.pi / 2 + share * fan
            shape = brush.petal((centre[0], centre[1] + 0.06 * size), angle, 0.50 * size,
                                broad * size)
            c.stamp([shape], mix(tint, p.ink, 0.2), opacity=0.4, soft=0.012 * size)
            c.stamp([0.96 * (shape - centre) + centre], mix(tint, pale, 0.35), opacity=0.97,
                    shade=pale)


def stem(c: Canvas, p: Palette, top: Point, bottom: Point, width: float) -> None:
    bend = float(c.rng.normal(0, 0.03)) * c.unit
    path = brush.smooth([bottom, ((top[0] + bottom[0]) / 2 + bend, (top[1] + bottom[1]) / 2), top])
    c.stamp([brush.stroke(path, width, end=0.8)], mix(p.leaf, p.ink, 0.35), opacity=0.92)


def reeds(c: Canvas, p: Palette, *, x: float, spread: float, height: float) -> None:
    rng = c.rng
    blades, heads = [], []
    for _ in range(26):
        base = (x + float(rng.normal(0, 1)) * spread, c.height * float(rng.uniform(0.99, 1.04)))
        angle = -math.pi / 2 + float(rng.normal(0, 0.16))
        length = height * float(rng.uniform(0.45, 1.1))
        bend = float(rng.normal(0, 0.35))
        blades.append(brush.leaf(base, angle, length, 0.010 * c.unit, bend))
        if rng.random() < 0.3:
            tip = (base[0] + math.cos(angle + 0.4 * bend) * length * 0.96,
                   base[1] + math.sin(angle + 0.4 * bend) * length * 0.96)
            for _ in range(9):
                heads.append(brush.leaf(
                    (tip[0] + float(rng.normal(0, 0.006)) * c.unit, tip[1] + float(rng.uniform(0, 0.06)) * c.unit),
                    angle + bend + float(rng.normal(0, 0.5)), 0.034 * c.unit, 0.006 * c.unit))
    c.stamp(blades, mix(p.leaf, p.ink, 0.45), opacity=0.85)
    c.stamp(heads, mix(p.foot, p.haze, 0.35), opacity=0.75)
