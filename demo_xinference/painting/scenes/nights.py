"""Roof with a cat, street with lanterns."""

from __future__ import annotations

import numpy as np

from demo_xinference.painting import animals, brush, buildings, nature, people
from demo_xinference.painting.canvas import Canvas, mix, rgb
from demo_xinference.painting.nature import Range
from demo_xinference.painting.noise import Field
from demo_xinference.painting.palette import Palette
from demo_xinference.painting.reading import Reading
from demo_xinference.painting.scenes.shores import reflect_figure


def rooftop(c: Canvas, p: Palette, r: Reading) -> None:
    rng = c.rng
    nature.sky(c, p, 0.95)
    if p.dark:
        nature.stars(c, 0.75, 110)
    x = float(rng.uniform(0.36, 0.64)) * c.width
    radius = float(rng.uniform(0.20, 0.25)) * c.unit
    line = 0.70 * c.height
    nature.disc(c, p, (x + 0.05 * c.unit, line - 0.28 * c.unit), radius)
    nature.mountains(
        c, Range(base=0.80, height=0.17, width=0.16, top=p.far, foot=mix(p.foot, p.haze, 0.4))
    )
    nature.mist(c, p.haze, 0.72, 0.05, 0.5)
    t = np.linspace(-0.05, 1.05, 60)
    sag = 0.05 * c.unit * ((t - x / c.width) ** 2) * 3 * float(rng.choice([-1, -0.6, 0.8]))
    crest = np.stack([t * c.width, line + 0.03 * c.unit - sag], axis=1)
    buildings.tiles(c, p, crest, 9)
    ground = float(np.interp(x, crest[:, 0], crest[:, 1]))
    fur = mix(p.ink, p.near, 0.06)
    animals.cat(c, p, (x, ground - 0.012 * c.unit), 0.24 * c.unit, fur)
    if rng.random() < 0.5:
        side = 1 if x < 0.5 * c.width else -1
        other = x + side * 0.19 * c.unit
        floor = float(np.interp(other, crest[:, 0], crest[:, 1]))
        animals.cat(c, p, (other, floor - 0.012 * c.unit), 0.16 * c.unit, fur)


def street(c: Canvas, p: Palette, r: Reading) -> None:
    """Houses in a row under lanterns, all of it again in the wet stones."""
    rng = c.rng
    line = 0.70
    nature.sky(c, p, line)
    nature.stars(c, 0.4, 40)
    nature.mountains(
        c,
        Range(base=line - 0.08, height=0.28, width=0.2, top=mix(p.far, p.haze, 0.15), foot=p.haze),
    )
    for depth in (0.0, 0.5, 1.0):
        houses(c, p, line, depth)
        nature.mist(c, mix(p.haze, rgb("#c98a5a"), 0.25), line - 0.02, 0.05, 0.28)
    for _ in range(int(11 * max(1.0, c.width / c.unit))):
        at = (float(rng.random()) * c.width, float(rng.uniform(0.30, 0.60)) * c.height)
        buildings.lantern(c, p, at, c.unit * float(rng.uniform(0.012, 0.030)))
    nature.water(c, p, line, mirror=0.85, calm=0.8)
    tall = min(0.42 * c.height, 0.5 * c.unit)
    before: Field = c.pixels.copy()
    foot = (float(rng.uniform(0.35, 0.65)) * c.width, 0.86 * c.height)
    amber = rgb("#e08a2c") if not r.has("red") else rgb("#cf3a26")
    people.walker(c, p, foot, tall, umbrella=amber, robe=mix(rgb("#d8d2c4"), p.near, 0.35))
    reflect_figure(c, before, foot, tall)


def houses(c: Canvas, p: Palette, line: float, depth: float) -> None:
    rng = c.rng
    x = -0.1 * c.unit
    wall = mix(mix(p.far, p.haze, 0.1), mix(p.ink, p.near, 0.3), depth)
    glow = rgb("#ffbf6b")
    while x < c.width * 1.05:
        wide = c.unit * float(rng.uniform(0.14, 0.24)) * (0.7 + 0.5 * depth)
        tall = c.unit * float(rng.uniform(0.14, 0.26)) * (1.25 - 0.35 * depth)
        base, top = (line + 0.01) * c.height, (line + 0.01) * c.height - tall
        c.stamp(
            [brush.polygon((x, base), (x, top), (x + wide, top), (x + wide, base))],
            wall,
            shade=mix(wall, p.ink, 0.4),
            opacity=0.97,
        )
        eave = brush.smooth(
            [
                (x - 0.10 * wide, top - 0.01 * c.unit),
                (x + 0.2 * wide, top + 0.006 * c.unit),
                (x + 0.8 * wide, top + 0.006 * c.unit),
                (x + 1.10 * wide, top - 0.01 * c.unit),
            ],
            24,
        )
        crown = brush.smooth(
            [
                (x + 1.10 * wide, top - 0.012 * c.unit),
                (x + 0.85 * wide, top - 0.040 * c.unit),
                (x + 0.62 * wide, top - 0.085 * c.unit),
                (x + 0.38 * wide, top - 0.085 * c.unit),
                (x + 0.15 * wide, top - 0.040 * c.unit),
                (x - 0.10 * wide, top - 0.012 * c.unit),
            ],
            40,
        )
        c.stamp([np.vstack([eave, crown])], mix(wall, p.ink, 0.55), opacity=0.98)
        for _ in range(int(rng.integers(1, 4))):
            wx, wy = (
                x + wide * float(rng.uniform(0.1, 0.72)),
                top + tall * float(rng.uniform(0.15, 0.65)),
            )
            w, h = 0.17 * wide, 0.035 * c.unit
            if rng.random() < 0.75:
                c.glow((wx + w / 2, wy + h / 2), 0.05 * c.unit, glow, 0.35 * (0.4 + 0.6 * depth))
                c.stamp(
                    [brush.polygon((wx, wy), (wx + w, wy), (wx + w, wy + h), (wx, wy + h))],
                    glow,
                    shade=mix(glow, p.accent, 0.25),
                    opacity=0.45 + 0.5 * depth,
                )
        x += wide * float(rng.uniform(1.0, 1.25))
