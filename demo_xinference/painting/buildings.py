"""Roofs, pavilions, bridges, lanterns."""

from __future__ import annotations

import math

import numpy as np

from demo_xinference.painting import brush
from demo_xinference.painting.canvas import Canvas, Point, Points, mix
from demo_xinference.painting.palette import Palette


def tiles(c: Canvas, p: Palette, crest: Points, rows: int) -> None:
    """A roof below a crest line (pixels), tile after tile."""
    base = np.vstack([crest, [[c.width + 9, c.height + 9], [-9, c.height + 9]]])
    dark = mix(p.ink, p.near, 0.35)
    c.stamp([base], dark, opacity=0.99)
    size = c.unit * 0.042
    light, deep = mix(dark, p.far, 0.35), mix(dark, p.ink, 0.7)
    ends = [
        brush.stroke(
            brush.smooth(
                [
                    (x, float(np.interp(x, crest[:, 0], crest[:, 1]))),
                    (x + (x - c.width / 2) * 0.10, c.height * 1.05),
                ],
                16,
            ),
            0.55 * size,
            start=0.7,
            end=1.3,
        )
        for x in np.arange(-size, c.width + size, size)
    ]
    c.stamp(ends, light, opacity=0.55, dry=0.3)
    for row in range(1, rows):
        line = crest + np.asarray([0, row * size * (0.9 + 0.13 * row)])
        c.stamp([brush.stroke(line, 0.16 * size, end=1)], deep, opacity=0.55)
    c.stamp([brush.stroke(crest - (0, 0.10 * size), 0.62 * size, end=1)], deep, opacity=0.98)
    c.stamp(
        [brush.stroke(crest - (0, 0.34 * size), 0.10 * size, end=1)],
        mix(light, p.disc, 0.35),
        opacity=0.6,
    )


def pavilion(c: Canvas, p: Palette, foot: Point, size: float, storeys: int = 1) -> None:
    """A small hall or pagoda: storeys under curved eaves."""
    wall, roof = mix(p.foot, p.accent, 0.35), mix(p.ink, p.near, 0.2)
    base = foot[1]
    for storey in range(storeys):
        wide = size * (1 - 0.16 * storey)
        tall = 0.42 * wide if storeys > 1 else 0.5 * wide
        body = brush.polygon(
            (foot[0] - 0.34 * wide, base),
            (foot[0] - 0.32 * wide, base - tall),
            (foot[0] + 0.32 * wide, base - tall),
            (foot[0] + 0.34 * wide, base),
        )
        c.stamp([body], wall, shade=mix(wall, p.ink, 0.4), opacity=0.95)
        for k in (-0.3, -0.1, 0.1, 0.3):
            c.stamp(
                [
                    brush.stroke(
                        np.asarray([(foot[0] + k * wide, base), (foot[0] + k * wide, base - tall)]),
                        0.035 * wide,
                        end=1,
                    )
                ],
                mix(p.ink, p.accent, 0.35),
                opacity=0.9,
            )
        eave = base - tall + 0.05 * wide
        under = brush.smooth(
            [
                (foot[0] - 0.60 * wide, eave - 0.09 * wide),
                (foot[0] - 0.3 * wide, eave),
                (foot[0] + 0.3 * wide, eave),
                (foot[0] + 0.60 * wide, eave - 0.09 * wide),
            ],
            24,
        )
        over = brush.smooth(
            [
                (foot[0] + 0.60 * wide, eave - 0.10 * wide),
                (foot[0] + 0.22 * wide, eave - 0.17 * wide),
                (foot[0] + 0.05 * wide, eave - 0.30 * wide),
                (foot[0] - 0.05 * wide, eave - 0.30 * wide),
                (foot[0] - 0.22 * wide, eave - 0.17 * wide),
                (foot[0] - 0.60 * wide, eave - 0.10 * wide),
            ],
            36,
        )
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
    arch = np.stack(
        [
            left[0] + span / 2 + 0.24 * span * np.cos(arch_t),
            left[1] + 0.02 * span - 0.78 * rise * np.sin(arch_t),
        ],
        axis=1,
    )
    foot = left[1] + 0.02 * span
    body = np.vstack([deck, [[left[0] + span, foot]], arch[::-1], [[left[0], foot]]])
    c.stamp([body], stone, shade=mix(stone, dark, 0.55), opacity=0.97, dry=0.15)
    c.stamp([brush.stroke(arch, 0.016 * span, start=1, end=1)], mix(stone, dark, 0.6), opacity=0.8)
    for lift, wide in ((0.0, 0.018), (0.060, 0.013)):
        c.stamp(
            [brush.stroke(deck - (0, lift * span), wide * span, end=1)],
            mix(stone, dark, 0.75),
            opacity=0.9,
        )
    posts = [
        brush.stroke(np.asarray([deck[k], deck[k] - (0, 0.072 * span)]), 0.014 * span, end=1)
        for k in range(1, 40, 4)
    ]
    c.stamp(posts, mix(stone, dark, 0.75), opacity=0.9)


def lantern(c: Canvas, p: Palette, at: Point, size: float) -> None:
    warm = (1.0, 0.62, 0.28)
    c.glow(at, 5.0 * size, warm, 0.42)
    c.stamp(
        [brush.ellipse(at, 0.8 * size, size)],
        mix(p.accent, warm, 0.35),
        shade=mix(p.accent, warm, 0.75),
        opacity=0.98,
    )
    c.stamp(
        [brush.ellipse(at, 0.38 * size, 0.7 * size)],
        (1.0, 0.84, 0.55),
        opacity=0.55,
        soft=0.25 * size,
    )
    for y in (-1.0, 1.0):
        cap = brush.polygon(
            (at[0] - 0.36 * size, at[1] + (y - 0.1) * size),
            (at[0] + 0.36 * size, at[1] + (y - 0.1) * size),
            (at[0] + 0.36 * size, at[1] + (y + 0.1) * size),
            (at[0] - 0.36 * size, at[1] + (y + 0.1) * size),
        )
        c.stamp([cap], mix(p.ink, p.accent, 0.3))
    tassel = np.asarray([(at[0], at[1] + 1.1 * size), (at[0], at[1] + 1.9 * size)])
    c.stamp([brush.stroke(tassel, 0.16 * size, end=0.8)], p.accent, opacity=0.85)
