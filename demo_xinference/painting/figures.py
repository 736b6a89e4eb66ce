"""Boat, walker with an umbrella, cat, birds, roofs, bridge, koi, lanterns."""

from __future__ import annotations

import math

import numpy as np

from demo_xinference.painting import brush
from demo_xinference.painting.canvas import Canvas, Colour, Point, mix
from demo_xinference.painting.palette import Palette


def placed(points: list[Point], at: Point, size: float, *, mirrored: bool = False) -> brush.Points:
    scale = np.asarray([-size if mirrored else size, size])
    return np.asarray(points, dtype=np.float64) * scale + np.asarray(at)


def boat(c: Canvas, p: Palette, at: Point, size: float) -> None:
    """A small boat with a reed roof and someone at the stern."""
    mirrored = bool(c.rng.random() < 0.5)
    dark = mix(p.ink, p.near, 0.12)

    def shape(*points: Point) -> brush.Points:
        return placed(list(points), at, size, mirrored=mirrored)

    curve = [tuple(each) for each in brush.smooth([(-1, -0.16), (-0.5, 0.07), (0.4, 0.08), (1, -0.20)], 20)]
    keel = [tuple(each) for each in brush.smooth([(0.93, -0.12), (0.45, 0.20), (-0.5, 0.20), (-0.95, -0.1)], 20)]
    shadow = shape((-0.9, 0.18), (0.9, 0.18), (0.6, 0.34), (-0.6, 0.34))
    c.stamp([shadow], p.ink, opacity=0.35, soft=0.06 * size)
    roof = [tuple(each) for each in brush.smooth([(-0.38, 0.08), (-0.34, -0.2), (-0.05, -0.32), (0.24, -0.2), (0.28, 0.08)], 24)]
    c.stamp([shape(*roof)], mix(p.foot, p.ink, 0.35), shade=mix(p.foot, p.ink, 0.7), dry=0.25)
    person(c, p, (at[0] + (-0.66 if not mirrored else 0.66) * size, at[1] + 0.03 * size), 0.34 * size)
    pole = np.asarray([shape((-0.95, -0.75))[0] if False else placed([(-0.86, -0.85)], at, size, mirrored=mirrored)[0],
                       placed([(-0.52, 0.36)], at, size, mirrored=mirrored)[0]]) if False else placed(
        [(-0.98, -0.92), (-0.52, 0.40)], at, size, mirrored=mirrored)
    c.stamp([brush.stroke(pole, max(1.0, 0.022 * size), end=1)], dark, opacity=0.9)
    c.stamp([shape(*curve, *keel)], dark, opacity=0.97, dry=0.12)


def person(c: Canvas, p: Palette, foot: Point, size: float) -> None:
    """A small figure in a straw cape and hat."""
    cape = placed([(-0.36, 0), (-0.2, -0.72), (0.2, -0.72), (0.36, 0)], foot, size)
    hat = placed([(-0.42, -0.70), (0, -1.02), (0.42, -0.70)], foot, size)
    c.stamp([cape], mix(p.foot, p.ink, 0.55), opacity=0.96)
    c.stamp([hat], mix(p.foot, p.ink, 0.15), opacity=0.97)


def walker(c: Canvas, p: Palette, foot: Point, size: float, *, umbrella: Colour, robe: Colour) -> None:
    """A woman from behind under an oiled-paper umbrella; `size` is her height in pixels."""
    sash = mix(p.near, (0.1, 0.45, 0.45), 0.5)
    sway = float(c.rng.uniform(-0.03, 0.03))

    def shape(*points: Point) -> brush.Points:
        return placed(list(points), foot, size)

    def curve(*points: Point, count: int = 40) -> brush.Points:
        return placed([tuple(each) for each in brush.smooth(list(points), count)], foot, size)

    skirt_left = brush.smooth([(-0.085, -0.50), (-0.13, -0.28), (-0.205, -0.015)], 20)
    skirt_right = brush.smooth([(0.215, -0.0), (0.13, -0.28), (0.085, -0.50)], 20)
    hem = brush.smooth([(-0.205, -0.015), (-0.05, 0.012), (0.1, -0.008), (0.215, 0)], 20)
    skirt = placed([tuple(e) for e in np.vstack([skirt_left, hem, skirt_right])], foot, size)
    fold = mix(robe, p.near, 0.55)
    c.stamp([skirt], robe, shade=mix(robe, p.water, 0.45), opacity=0.98, dry=0.06)
    for k in range(6):
        t = (k - 2.5) / 2.5
        c.stamp([brush.stroke(curve((0.06 * t, -0.49), (0.10 * t + sway, -0.25), (0.185 * t + sway, -0.02)),
                              0.020 * size, start=0.3, end=1)], fold, opacity=0.36, soft=0.008 * size)
    back = curve((-0.085, -0.50), (-0.115, -0.63), (-0.095, -0.735), (-0.03, -0.765), (0.03, -0.765),
                 (0.095, -0.735), (0.115, -0.63), (0.085, -0.50))
    c.stamp([back], robe, shade=mix(robe, p.water, 0.2), opacity=0.98, dry=0.05)
    for side in (-1, 1):
        sleeve = curve((side * 0.085, -0.73), (side * 0.150, -0.62), (side * 0.175, -0.44),
                       (side * 0.125, -0.40), (side * 0.09, -0.52), (side * 0.07, -0.66))
        c.stamp([sleeve], mix(robe, p.water, 0.12), shade=mix(robe, p.near, 0.3), opacity=0.98)
    belt = curve((-0.095, -0.545), (0, -0.535), (0.095, -0.545), (0.09, -0.495), (0, -0.485), (-0.09, -0.495))
    c.stamp([belt], sash, opacity=0.97)
    for x in (-0.014, 0.016):
        ribbon = curve((x, -0.50), (x * 2.2 + sway, -0.38), (x * 1.6 + 2 * sway, -0.24))
        c.stamp([brush.stroke(ribbon, 0.022 * size, start=0.7, end=0.9)], mix(sash, p.ink, 0.15), opacity=0.9)
    neck = shape((-0.024, -0.76), (-0.02, -0.80), (0.02, -0.80), (0.024, -0.76))
    c.stamp([neck], (0.90, 0.76, 0.66))
    c.stamp([brush.ellipse((foot[0], foot[1] - 0.862 * size), 0.062 * size, 0.074 * size)], p.ink, opacity=0.98)
    hair = curve((-0.05, -0.85), (-0.045, -0.72), (-0.030, -0.60), (-0.006, -0.53), (0.012, -0.55),
                 (0.034, -0.62), (0.046, -0.74), (0.05, -0.85))
    c.stamp([hair], p.ink, opacity=0.97)
    c.stamp([brush.stroke(curve((-0.012, -0.84), (-0.01, -0.7), (0.0, -0.58)), 0.012 * size)],
            mix(p.ink, p.haze, 0.4), opacity=0.3, soft=0.004 * size)
    bow = [brush.leaf((foot[0], foot[1] - 0.745 * size), a, 0.05 * size, 0.022 * size) for a in (0.5, 2.64)]
    c.stamp(bow, umbrella, opacity=0.95)
    canopy(c, p, (foot[0] + 0.03 * size, foot[1] - 0.93 * size), 0.36 * size, umbrella)


def canopy(c: Canvas, p: Palette, at: Point, radius: float, colour: Colour) -> None:
    """The umbrella from behind: a dome of ribbed panels; `at` is the middle of its lower edge."""
    tilt = float(c.rng.uniform(-0.06, 0.10))
    cos, sin = math.cos(tilt), math.sin(tilt)

    def turn(points: brush.Points) -> brush.Points:
        return np.stack([points[:, 0] * cos - points[:, 1] * sin, points[:, 0] * sin + points[:, 1] * cos],
                        axis=1) * radius + np.asarray(at)

    ribs = 8
    edges = [math.sin((k / ribs - 0.5) * math.pi) for k in range(ribs + 1)]
    top, dome = (0.0, -0.60), []
    for k in range(ribs):
        left, right = edges[k], edges[k + 1]
        rim = brush.smooth([(left, 0.02 - 0.1 * (1 - left**2)), ((left + right) / 2, -0.055 - 0.085 * (1 - ((left + right) / 2) ** 2)),
                            (right, 0.02 - 0.1 * (1 - right**2))], 10)
        rim[:, 1] += 0.11 * (1 - rim[:, 0] ** 2)
        arc_l = brush.smooth([top, (left * 0.62, -0.49 + 0.13 * abs(left)), (left * 0.93, -0.24 + 0.04 * abs(left)), tuple(rim[0])], 14)
        arc_r = brush.smooth([tuple(rim[-1]), (right * 0.93, -0.24 + 0.04 * abs(right)), (right * 0.62, -0.49 + 0.13 * abs(right)), top], 14)
        panel = np.vstack([arc_l, rim, arc_r])
        middle = (left + right) / 2
        tone = 0.18 + 0.30 * middle
        shade = mix(colour, p.ink, 0.34) if tone > 0 else colour
        body = mix(colour, p.ink if tone > 0.18 else (1.0, 0.86, 0.7), abs(tone - 0.18) * 0.75)
        c.stamp([turn(panel)], body, shade=mix(shade, p.ink, 0.12), opacity=0.99, dry=0.08)
        dome.append((arc_l, tone))
    for arc, _ in dome[1:]:
        c.stamp([brush.stroke(turn(arc), max(0.9, 0.012 * radius), end=0.8)], mix(colour, p.ink, 0.5), opacity=0.6)
    ring = [brush.stroke(turn(brush.smooth([(-0.72, -0.19), (-0.4, -0.165), (0, -0.155), (0.4, -0.165), (0.72, -0.19)], 30)),
                         0.02 * radius, start=0.4, end=0.4)]
    c.stamp(ring, mix(colour, (1, 0.9, 0.7), 0.6), opacity=0.45)
    knob = turn(np.asarray([(-0.022, -0.60), (-0.014, -0.665), (0.014, -0.665), (0.022, -0.60)]))
    c.stamp([knob], mix(p.ink, colour, 0.2))


def cat(c: Canvas, p: Palette, at: Point, size: float, colour: Colour) -> None:
    """Sitting, from behind, looking away; `at` is where it sits."""
    mirrored = bool(c.rng.random() < 0.5)

    def curve(*points: Point, count: int = 60) -> brush.Points:
        return placed([tuple(each) for each in brush.smooth(list(points), count)], at, size, mirrored=mirrored)

    tail = curve((0.26, -0.06), (0.50, 0.02), (0.66, 0.22), (0.58, 0.46), (0.42, 0.50))
    c.stamp([brush.stroke(tail, 0.10 * size, start=1, end=0.55)], colour, opacity=0.99)
    body = curve((-0.34, 0.02), (-0.36, -0.26), (-0.24, -0.58), (-0.13, -0.74), (0.13, -0.74), (0.24, -0.58),
                 (0.36, -0.26), (0.34, 0.02), (0.12, 0.06), (-0.12, 0.06))
    c.stamp([body], colour, opacity=0.99)
    head = curve((-0.20, -0.78), (-0.215, -0.92), (-0.185, -1.18), (-0.085, -1.045), (0.085, -1.045), (0.185, -1.18),
                 (0.215, -0.92), (0.20, -0.78), (0.08, -0.70), (-0.08, -0.70))
    c.stamp([head], colour, opacity=0.99)
    for side in (-1, 1):
        whisker = curve((side * 0.18, -0.85), (side * 0.30, -0.87), (side * 0.38, -0.85), count=10)
        c.stamp([brush.stroke(whisker, max(0.8, 0.012 * size))], colour, opacity=0.8)
    rim = curve((-0.335, -0.16), (-0.30, -0.42), (-0.2, -0.66))
    c.stamp([brush.stroke(rim, 0.022 * size, start=0.3)], mix(colour, p.disc, 0.6), opacity=0.55, soft=0.01 * size)


def tiles(c: Canvas, p: Palette, crest: brush.Points, rows: int) -> None:
    """A roof below a crest line (pixels), tile after tile."""
    base = np.vstack([crest, [[c.width + 9, c.height + 9], [-9, c.height + 9]]])
    dark = mix(p.ink, p.near, 0.35)
    c.stamp([base], dark, opacity=0.99)
    size = c.unit * 0.042
    light, deep = mix(dark, p.far, 0.35), mix(dark, p.ink, 0.7)
    ends = [brush.stroke(brush.smooth([(x, float(np.interp(x, crest[:, 0], crest[:, 1]))),
                                       (x + (x - c.width / 2) * 0.10, c.height * 1.05)], 16),
                         0.55 * size, start=0.7, end=1.3)
            for x in np.arange(-size, c.width + size, size)]
    c.stamp(ends, light, opacity=0.55, dry=0.3)
    for row in range(1, rows):
        line = crest + np.asarray([0, row * size * (0.9 + 0.13 * row)])
        c.stamp([brush.stroke(line, 0.16 * size, end=1)], deep, opacity=0.55)
    c.stamp([brush.stroke(crest - (0, 0.10 * size), 0.62 * size, end=1)], deep, opacity=0.98)
    c.stamp([brush.stroke(crest - (0, 0.34 * size), 0.10 * size, end=1)], mix(light, p.disc, 0.35), opacity=0.6)


def bird(c: Canvas, at: Point, size: float, colour: Colour) -> None:
    """A far bird: two strokes."""
    lift = float(c.rng.uniform(0.2, 0.55))
    for side in (-1, 1):
        wing = brush.smooth([at, (at[0] + side * 0.5 * size, at[1] - lift * size),
                             (at[0] + side * size, at[1] - 0.35 * lift * size)], 14)
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

    def curve(*points: Point, count: int = 40) -> brush.Points:
        return placed([tuple(each) for each in brush.smooth(list(points), count)], at, size, mirrored=mirrored)

    def feather(base: Point, tip: Point, width: float, colour: Colour) -> None:
        start, end = placed([base, tip], at, size, mirrored=mirrored)
        angle = math.atan2(end[1] - start[1], end[0] - start[0])
        c.stamp([brush.leaf(tuple(start), angle, float(np.hypot(*(end - start))), width * size, 0.12)], colour,
                opacity=0.95)

    edge = mix(p.far, p.haze, 0.4)
    legs = [curve((-0.42, 0.02), (-0.72, 0.07), (-0.98, 0.06)), curve((-0.40, 0.05), (-0.70, 0.11), (-0.94, 0.11))]
    c.stamp([brush.stroke(each, max(1.0, 0.018 * size), end=0.7) for each in legs], p.ink, opacity=0.9)
    for k in range(9):
        t = k / 8
        feather((0.02 - 0.22 * t, -0.10), (-0.62 + 0.36 * t - 0.1, -0.34 - 0.52 * t), 0.10, p.ink if t < 0.62 else white)
    for k in range(8):
        t = k / 7
        feather((0.12 - 0.3 * t, -0.05), (-0.28 + 0.46 * t, -0.60 - 0.30 * t), 0.12, mix(white, edge, 0.55 * (1 - t)))
    far = curve((0.12, -0.07), (0.22, -0.45), (0.34, -0.86), (0.16, -0.62), (-0.06, -0.30), (-0.2, -0.1))
    c.stamp([far], white, shade=edge, opacity=0.97)
    for k in range(7):
        t = k / 6
        feather((0.26 - 0.02 * t, -0.50 - 0.25 * t), (0.02 + 0.42 * t, -0.92 - 0.20 * t + 0.1 * t * t), 0.075, p.ink)
    body = curve((-0.46, 0.0), (-0.2, 0.12), (0.1, 0.11), (0.32, 0.0), (0.15, -0.11), (-0.15, -0.12))
    c.stamp([body], white, shade=mix(white, edge, 0.55), opacity=0.99)
    neck = curve((0.26, 0.0), (0.46, -0.03), (0.64, -0.10), (0.82, -0.13))
    c.stamp([brush.stroke(neck, 0.095 * size, start=1, end=0.55)], white, opacity=0.99)
    throat = curve((0.40, 0.005), (0.56, -0.05), (0.74, -0.10))
    c.stamp([brush.stroke(throat, 0.045 * size, start=0.3, end=1)], p.ink, opacity=0.95)
    head = placed([(0.83, -0.135)], at, size, mirrored=mirrored)[0]
    c.stamp([brush.ellipse(tuple(head), 0.048 * size, 0.038 * size)], white)
    c.stamp([brush.stroke(curve((0.86, -0.135), (1.0, -0.125), (1.05, -0.12)), 0.022 * size)], mix(p.ink, p.foot, 0.4))
    crown = placed([(0.835, -0.165)], at, size, mirrored=mirrored)[0]
    c.stamp([brush.ellipse(tuple(crown), 0.035 * size, 0.017 * size)], p.accent, opacity=0.98)


def pavilion(c: Canvas, p: Palette, foot: Point, size: float, storeys: int = 1) -> None:
    """A small hall or pagoda: storeys under curved eaves."""
    wall, roof = mix(p.foot, p.accent, 0.35), mix(p.ink, p.near, 0.2)
    base = foot[1]
    for storey in range(storeys):
        wide = size * (1 - 0.16 * storey)
        tall = 0.42 * wide if storeys > 1 else 0.5 * wide
        body = brush.polygon((foot[0] - 0.34 * wide, base), (foot[0] - 0.32 * wide, base - tall),
                             (foot[0] + 0.32 * wide, base - tall), (foot[0] + 0.34 * wide, base))
        c.stamp([body], wall, shade=mix(wall, p.ink, 0.4), opacity=0.95)
        for k in (-0.3, -0.1, 0.1, 0.3):
            c.stamp([brush.stroke(np.asarray([(foot[0] + k * wide, base), (foot[0] + k * wide, base - tall)]), 0.035 * wide, end=1)],
                    mix(p.ink, p.accent, 0.35), opacity=0.9)
        eave = base - tall + 0.05 * wide
        under = brush.smooth([(foot[0] - 0.60 * wide, eave - 0.09 * wide), (foot[0] - 0.3 * wide, eave),
                              (foot[0] + 0.3 * wide, eave), (foot[0] + 0.60 * wide, eave - 0.09 * wide)], 24)
        over = brush.smooth([(foot[0] + 0.60 * wide, eave - 0.10 * wide), (foot[0] + 0.22 * wide, eave - 0.17 * wide),
                             (foot[0] + 0.05 * wide, eave - 0.30 * wide), (foot[0] - 0.05 * wide, eave - 0.30 * wide),
                             (foot[0] - 0.22 * wide, eave - 0.17 * wide), (foot[0] - 0.60 * wide, eave - 0.10 * wide)], 36)
        c.stamp([np.vstack([under, over])], roof, opacity=0.98, dry=0.12)
        base = eave - 0.16 * wide
    tip = np.asarray([(foot[0], base - 0.05 * size), (foot[0], base - 0.30 * size)])
    c.stamp([brush.stroke(tip, 0.045 * size, end=0.2)], roof)


def bridge(c: Canvas, p: Palette, left: Point, span: float, rise: float) -> None:
    """A stone bridge with one round arch and its low wall."""
    stone, dark = mix(p.foot, p.haze, 0.35), mix(p.near, p.ink, 0.35)
    t = np.linspace(0, 1, 40)
    deck = np.stack([left[0] + span * t, left[1] - rise * np.sin(np.pi * t) ** 1.2], axis=1)
    arch_t = np.linspace(math.pi, 0, 40)
    arch = np.stack([left[0] + span / 2 + 0.24 * span * np.cos(arch_t),
                     left[1] + 0.02 * span - 0.78 * rise * np.sin(arch_t)], axis=1)
    foot = left[1] + 0.02 * span
    body = np.vstack([deck, [[left[0] + span, foot]], arch[::-1], [[left[0], foot]]])
    c.stamp([body], stone, shade=mix(stone, dark, 0.55), opacity=0.97, dry=0.15)
    c.stamp([brush.stroke(arch, 0.016 * span, start=1, end=1)], mix(stone, dark, 0.6), opacity=0.8)
    for lift, wide in ((0.0, 0.018), (0.060, 0.013)):
        c.stamp([brush.stroke(deck - (0, lift * span), wide * span, end=1)], mix(stone, dark, 0.75), opacity=0.9)
    posts = [brush.stroke(np.asarray([deck[k], deck[k] - (0, 0.072 * span)]), 0.014 * span, end=1) for k in range(1, 40, 4)]
    c.stamp(posts, mix(stone, dark, 0.75), opacity=0.9)


def koi(c: Canvas, p: Palette, at: Point, size: float, heading: float, kind: int) -> None:
    """A carp from above; `heading` in radians, `kind` chooses its pattern."""
    rng = c.rng
    bend = float(rng.choice([-1, 1])) * float(rng.uniform(0.25, 0.6))
    t = np.linspace(0, 1, 40)
    turn = heading + bend * (t - 0.3)
    spine = np.stack([-np.cumsum(np.cos(turn)), -np.cumsum(np.sin(turn))], axis=1) * size / 40
    spine = spine - spine[12] + np.asarray(at)
    normal = np.stack([-np.sin(turn), np.cos(turn)], axis=1)
    half = 0.125 * size * (np.sin(np.pi * np.clip(t * 0.94 + 0.03, 0, 1)) ** 0.62) * (1.12 - 0.85 * t)
    body = np.vstack([spine + normal * half[:, None], (spine - normal * half[:, None])[::-1]])
    red = mix(p.accent, (0.95, 0.42, 0.16), 0.35)
    base, patch = [((0.97, 0.95, 0.91), red), (red, (0.98, 0.94, 0.88)), ((0.16, 0.18, 0.2), red)][kind % 3]
    c.stamp([body + (0.03 * size, 0.06 * size)], p.ink, opacity=0.28, soft=0.04 * size)
    fin = mix(base, p.water, 0.30)
    for side in (-1, 1):
        for k, reach, wide in ((11, 0.22, 0.15), (23, 0.12, 0.08)):
            root = spine[k] + side * normal[k] * half[k] * 0.8
            angle = turn[k] + math.pi - side * 0.95
            c.stamp([brush.petal(tuple(root), angle, reach * size, wide * size)], fin, opacity=0.72)
    for spread in (-0.42, -0.1, 0.22, 0.45):
        c.stamp([brush.leaf(tuple(spine[-2]), turn[-1] + math.pi + spread, 0.34 * size, 0.09 * size, -0.5 * bend)],
                fin, opacity=0.72)
    c.stamp([body], base, opacity=0.98, dry=0.05)
    marks = []
    for k in (4, 13, 22, 30):
        if rng.random() < 0.8:
            centre = spine[k] + normal[k] * half[k] * float(rng.uniform(-0.5, 0.5))
            marks.append(brush.ellipse(tuple(centre), 0.10 * size, 0.075 * size * float(rng.uniform(0.7, 1.2)),
                                       tilt=float(turn[k]), wobble=0.14, phase=float(rng.uniform(0, 6))))
    found = c.mask([body])
    if found is not None and marks:
        before = c.pixels[found[0], found[1]].copy()
        c.stamp(marks, patch, opacity=0.95)
        c.pixels[found[0], found[1]] = before + (c.pixels[found[0], found[1]] - before) * found[2][..., None]
    c.stamp([brush.stroke(spine[6:34], 0.022 * size, start=0.5, end=0.3)], mix(base, p.ink, 0.35), opacity=0.5)
    for side in (-1, 1):
        eye = spine[3] + side * normal[3] * half[3] * 0.75
        c.stamp([brush.ellipse(tuple(eye), 0.014 * size, 0.014 * size)], p.ink, opacity=0.95)


def lantern(c: Canvas, p: Palette, at: Point, size: float) -> None:
    warm = (1.0, 0.62, 0.28)
    c.glow(at, 5.0 * size, warm, 0.42)
    c.stamp([brush.ellipse(at, 0.8 * size, size)], mix(p.accent, warm, 0.35), shade=mix(p.accent, warm, 0.75),
            opacity=0.98)
    c.stamp([brush.ellipse(at, 0.38 * size, 0.7 * size)], (1.0, 0.84, 0.55), opacity=0.55, soft=0.25 * size)
    for y in (-1.0, 1.0):
        cap = brush.polygon((at[0] - 0.36 * size, at[1] + (y - 0.1) * size), (at[0] + 0.36 * size, at[1] + (y - 0.1) * size),
                            (at[0] + 0.36 * size, at[1] + (y + 0.1) * size), (at[0] - 0.36 * size, at[1] + (y + 0.1) * size))
        c.stamp([cap], mix(p.ink, p.accent, 0.3))
    tassel = np.asarray([(at[0], at[1] + 1.1 * size), (at[0], at[1] + 1.9 * size)])
    c.stamp([brush.stroke(tassel, 0.16 * size, end=0.8)], p.accent, opacity=0.85)
