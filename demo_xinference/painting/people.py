"""Boats and people."""

from __future__ import annotations

import math

import numpy as np

from demo_xinference.painting import brush
from demo_xinference.painting.canvas import Canvas, Colour, Point, Points, mix
from demo_xinference.painting.palette import Palette


def placed(points: list[Point], at: Point, size: float, *, mirrored: bool = False) -> Points:
    scale = np.asarray([-size if mirrored else size, size])
    outline: Points = np.asarray(points, dtype=np.float64) * scale + np.asarray(at)
    return outline


def boat(c: Canvas, p: Palette, at: Point, size: float) -> None:
    """A small boat with a reed roof and someone at the stern."""
    mirrored = bool(c.rng.random() < 0.5)
    dark = mix(p.ink, p.near, 0.12)

    def shape(*points: Point) -> Points:
        return placed(list(points), at, size, mirrored=mirrored)

    curve = [
        tuple(each)
        for each in brush.smooth([(-1, -0.16), (-0.5, 0.07), (0.4, 0.08), (1, -0.20)], 20)
    ]
    keel = [
        tuple(each)
        for each in brush.smooth([(0.93, -0.12), (0.45, 0.20), (-0.5, 0.20), (-0.95, -0.1)], 20)
    ]
    shadow = shape((-0.9, 0.18), (0.9, 0.18), (0.6, 0.34), (-0.6, 0.34))
    c.stamp([shadow], p.ink, opacity=0.35, soft=0.06 * size)
    roof = [
        tuple(each)
        for each in brush.smooth(
            [(-0.38, 0.08), (-0.34, -0.2), (-0.05, -0.32), (0.24, -0.2), (0.28, 0.08)], 24
        )
    ]
    c.stamp([shape(*roof)], mix(p.foot, p.ink, 0.35), shade=mix(p.foot, p.ink, 0.7), dry=0.25)
    person(
        c, p, (at[0] + (-0.66 if not mirrored else 0.66) * size, at[1] + 0.03 * size), 0.34 * size
    )
    pole = placed([(-0.98, -0.92), (-0.52, 0.40)], at, size, mirrored=mirrored)
    c.stamp([brush.stroke(pole, max(1.0, 0.022 * size), end=1)], dark, opacity=0.9)
    c.stamp([shape(*curve, *keel)], dark, opacity=0.97, dry=0.12)


def person(c: Canvas, p: Palette, foot: Point, size: float) -> None:
    """A small figure in a straw cape and hat."""
    cape = placed([(-0.36, 0), (-0.2, -0.72), (0.2, -0.72), (0.36, 0)], foot, size)
    hat = placed([(-0.42, -0.70), (0, -1.02), (0.42, -0.70)], foot, size)
    c.stamp([cape], mix(p.foot, p.ink, 0.55), opacity=0.96)
    c.stamp([hat], mix(p.foot, p.ink, 0.15), opacity=0.97)


def walker(
    c: Canvas, p: Palette, foot: Point, size: float, *, umbrella: Colour, robe: Colour
) -> None:
    """A woman from behind under an oiled-paper umbrella; `size` is her height in pixels."""
    sash = mix(p.near, (0.1, 0.45, 0.45), 0.5)
    sway = float(c.rng.uniform(-0.03, 0.03))

    def shape(*points: Point) -> Points:
        return placed(list(points), foot, size)

    def curve(*points: Point, count: int = 40) -> Points:
        return placed([tuple(each) for each in brush.smooth(list(points), count)], foot, size)

    skirt_left = brush.smooth([(-0.085, -0.50), (-0.13, -0.28), (-0.205, -0.015)], 20)
    skirt_right = brush.smooth([(0.215, -0.0), (0.13, -0.28), (0.085, -0.50)], 20)
    hem = brush.smooth([(-0.205, -0.015), (-0.05, 0.012), (0.1, -0.008), (0.215, 0)], 20)
    skirt = placed([tuple(e) for e in np.vstack([skirt_left, hem, skirt_right])], foot, size)
    fold = mix(robe, p.near, 0.55)
    c.stamp([skirt], robe, shade=mix(robe, p.water, 0.45), opacity=0.98, dry=0.06)
    for k in range(6):
        t = (k - 2.5) / 2.5
        c.stamp(
            [
                brush.stroke(
                    curve((0.06 * t, -0.49), (0.10 * t + sway, -0.25), (0.185 * t + sway, -0.02)),
                    0.020 * size,
                    start=0.3,
                    end=1,
                )
            ],
            fold,
            opacity=0.36,
            soft=0.008 * size,
        )
    back = curve(
        (-0.085, -0.50),
        (-0.115, -0.63),
        (-0.095, -0.735),
        (-0.03, -0.765),
        (0.03, -0.765),
        (0.095, -0.735),
        (0.115, -0.63),
        (0.085, -0.50),
    )
    c.stamp([back], robe, shade=mix(robe, p.water, 0.2), opacity=0.98, dry=0.05)
    for side in (-1, 1):
        sleeve = curve(
            (side * 0.085, -0.73),
            (side * 0.150, -0.62),
            (side * 0.175, -0.44),
            (side * 0.125, -0.40),
            (side * 0.09, -0.52),
            (side * 0.07, -0.66),
        )
        c.stamp([sleeve], mix(robe, p.water, 0.12), shade=mix(robe, p.near, 0.3), opacity=0.98)
    belt = curve(
        (-0.095, -0.545), (0, -0.535), (0.095, -0.545), (0.09, -0.495), (0, -0.485), (-0.09, -0.495)
    )
    c.stamp([belt], sash, opacity=0.97)
    for x in (-0.014, 0.016):
        ribbon = curve((x, -0.50), (x * 2.2 + sway, -0.38), (x * 1.6 + 2 * sway, -0.24))
        c.stamp(
            [brush.stroke(ribbon, 0.022 * size, start=0.7, end=0.9)],
            mix(sash, p.ink, 0.15),
            opacity=0.9,
        )
    neck = shape((-0.024, -0.76), (-0.02, -0.80), (0.02, -0.80), (0.024, -0.76))
    c.stamp([neck], (0.90, 0.76, 0.66))
    c.stamp(
        [brush.ellipse((foot[0], foot[1] - 0.862 * size), 0.062 * size, 0.074 * size)],
        p.ink,
        opacity=0.98,
    )
    hair = curve(
        (-0.05, -0.85),
        (-0.045, -0.72),
        (-0.030, -0.60),
        (-0.006, -0.53),
        (0.012, -0.55),
        (0.034, -0.62),
        (0.046, -0.74),
        (0.05, -0.85),
    )
    c.stamp([hair], p.ink, opacity=0.97)
    c.stamp(
        [brush.stroke(curve((-0.012, -0.84), (-0.01, -0.7), (0.0, -0.58)), 0.012 * size)],
        mix(p.ink, p.haze, 0.4),
        opacity=0.3,
        soft=0.004 * size,
    )
    bow = [
        brush.leaf((foot[0], foot[1] - 0.745 * size), a, 0.05 * size, 0.022 * size)
        for a in (0.5, 2.64)
    ]
    c.stamp(bow, umbrella, opacity=0.95)
    canopy(c, p, (foot[0] + 0.03 * size, foot[1] - 0.93 * size), 0.36 * size, umbrella)


def canopy(c: Canvas, p: Palette, at: Point, radius: float, colour: Colour) -> None:
    """The umbrella from behind: a dome of ribbed panels; `at` is the middle of its lower edge."""
    tilt = float(c.rng.uniform(-0.06, 0.10))
    cos, sin = math.cos(tilt), math.sin(tilt)

    def turn(points: Points) -> Points:
        across = points[:, 0] * cos - points[:, 1] * sin
        along = points[:, 0] * sin + points[:, 1] * cos
        turned: Points = np.stack([across, along], axis=1) * radius + np.asarray(at)
        return turned

    ribs = 8
    edges = [math.sin((k / ribs - 0.5) * math.pi) for k in range(ribs + 1)]
    top, dome = (0.0, -0.60), []
    for k in range(ribs):
        left, right = edges[k], edges[k + 1]
        rim = brush.smooth(
            [
                (left, 0.02 - 0.1 * (1 - left**2)),
                ((left + right) / 2, -0.055 - 0.085 * (1 - ((left + right) / 2) ** 2)),
                (right, 0.02 - 0.1 * (1 - right**2)),
            ],
            10,
        )
        rim[:, 1] += 0.11 * (1 - rim[:, 0] ** 2)
        arc_l = brush.smooth(
            [
                top,
                (left * 0.62, -0.49 + 0.13 * abs(left)),
                (left * 0.93, -0.24 + 0.04 * abs(left)),
                tuple(rim[0]),
            ],
            14,
        )
        arc_r = brush.smooth(
            [
                tuple(rim[-1]),
                (right * 0.93, -0.24 + 0.04 * abs(right)),
                (right * 0.62, -0.49 + 0.13 * abs(right)),
                top,
            ],
            14,
        )
        panel = np.vstack([arc_l, rim, arc_r])
        middle = (left + right) / 2
        tone = 0.18 + 0.30 * middle
        shade = mix(colour, p.ink, 0.34) if tone > 0 else colour
        body = mix(colour, p.ink if tone > 0.18 else (1.0, 0.86, 0.7), abs(tone - 0.18) * 0.75)
        c.stamp([turn(panel)], body, shade=mix(shade, p.ink, 0.12), opacity=0.99, dry=0.08)
        dome.append((arc_l, tone))
    for arc, _ in dome[1:]:
        c.stamp(
            [brush.stroke(turn(arc), max(0.9, 0.012 * radius), end=0.8)],
            mix(colour, p.ink, 0.5),
            opacity=0.6,
        )
    ring = [
        brush.stroke(
            turn(
                brush.smooth(
                    [(-0.72, -0.19), (-0.4, -0.165), (0, -0.155), (0.4, -0.165), (0.72, -0.19)], 30
                )
            ),
            0.02 * radius,
            start=0.4,
            end=0.4,
        )
    ]
    c.stamp(ring, mix(colour, (1, 0.9, 0.7), 0.6), opacity=0.45)
    knob = turn(np.asarray([(-0.022, -0.60), (-0.014, -0.665), (0.014, -0.665), (0.022, -0.60)]))
    c.stamp([knob], mix(p.ink, colour, 0.2))
