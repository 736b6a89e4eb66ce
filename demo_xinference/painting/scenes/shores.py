"""Wide views: ranges behind water, and what stands before them."""

from __future__ import annotations

import numpy as np

from demo_xinference.painting import animals, buildings, flowers, nature, people, trees
from demo_xinference.painting.canvas import Canvas, Colour, Point, mix, rgb
from demo_xinference.painting.noise import Field, curve
from demo_xinference.painting.palette import Palette
from demo_xinference.painting.reading import Reading
from demo_xinference.painting.scenes.views import light, path_of_light, ranges


def river(c: Canvas, p: Palette, r: Reading) -> None:
    line = float(c.rng.uniform(0.66, 0.76))
    nature.sky(c, p, line)
    sun = light(c, p, r, high=float(c.rng.uniform(0.16, 0.27)))
    ranges(
        c, p, r, line=line, count=int(c.rng.integers(4, 6)), tall=float(c.rng.uniform(0.34, 0.46))
    )
    if c.rng.random() < 0.45 or r.has("temple"):
        place = (c.width * float(c.rng.uniform(0.15, 0.85)), line * c.height)
        buildings.pavilion(c, p, place, 0.10 * c.unit, int(c.rng.choice([1, 3, 3])))
    nature.water(c, p, line)
    if r.mood in ("night", "dusk"):
        path_of_light(c, p, sun[0], line)
    if r.has("bridge"):
        span = 0.42 * c.unit
        buildings.bridge(
            c, p, (0.5 * c.width - 0.5 * span, (line + 0.05) * c.height), span, 0.13 * c.unit
        )
    foreground(c, p, r, line)
    if r.has("mist") or c.rng.random() < 0.6:
        nature.mist(c, p.haze, line - 0.01, 0.035, 0.6)


def foreground(c: Canvas, p: Palette, r: Reading, line: float) -> None:
    side = int(c.rng.choice([-1, 1]))
    spot = (
        c.width * (0.5 - side * float(c.rng.uniform(0.08, 0.22))),
        c.height * (line + 0.52 * (1 - line)),
    )
    people.boat(c, p, spot, 0.10 * c.unit)
    nature.ripples(c, (spot[0], spot[1] + 0.025 * c.unit), 0.10 * c.unit, p.haze, 0.35)
    if r.mood != "rain":
        animals.flock(
            c,
            p,
            (c.width * (0.5 - side * 0.16), c.height * float(c.rng.uniform(0.2, 0.32))),
            int(c.rng.integers(4, 8)),
            0.017 * c.unit,
        )
    choice = c.rng.random()
    top = nature.bank(c, p, side=side, rise=float(c.rng.uniform(0.10, 0.16)), reach=0.42)
    edge = 0.87 if side > 0 else 0.13
    ground = float(top[int(edge * (c.width - 1))])
    if r.has("willow"):
        trees.willow(
            c,
            p,
            anchor=(edge * c.width, 0.30 * c.height),
            spread=0.2 * c.unit,
            drop=0.4 * c.unit,
            trunk=True,
        )
    elif choice < 0.6 or r.mood == "snow":
        trees.pine(
            c,
            p,
            root=(edge * c.width, ground + 0.02 * c.unit),
            height=0.42 * c.unit,
            lean=-side * float(c.rng.uniform(0.05, 0.3)),
        )
    else:
        flowers.reeds(c, p, x=edge * c.width, spread=0.05 * c.unit, height=0.26 * c.unit)


def willow_bank(c: Canvas, p: Palette, r: Reading) -> None:
    line = float(c.rng.uniform(0.64, 0.72))
    nature.sky(c, p, line)
    side = int(c.rng.choice([-1, 1]))
    sun = light(
        c,
        p,
        r,
        high=float(c.rng.uniform(0.17, 0.26)),
        side=0.5 - side * float(c.rng.uniform(0.12, 0.24)),
    )
    ranges(c, p, r, line=line, count=4, tall=float(c.rng.uniform(0.26, 0.34)))
    span = 0.46 * c.unit
    left = (0.5 - side * 0.20) * c.width - 0.5 * span
    if c.rng.random() < 0.6 or r.has("bridge"):
        buildings.bridge(c, p, (left, (line + 0.012) * c.height), span, 0.115 * c.unit)
    else:
        buildings.pavilion(c, p, (left + 0.5 * span, (line + 0.01) * c.height), 0.17 * c.unit)
    nature.water(c, p, line + 0.012, mirror=0.62, calm=1.4)
    if r.mood in ("night", "dusk"):
        path_of_light(c, p, sun[0], line)
    spot = (c.width * (0.5 - side * 0.02), c.height * (line + 0.20))
    people.boat(c, p, spot, 0.085 * c.unit)
    nature.ripples(c, (spot[0], spot[1] + 0.02 * c.unit), 0.09 * c.unit, p.haze, 0.35)
    nature.mist(c, p.haze, line - 0.015, 0.03, 0.6)
    animals.flock(c, p, (c.width * (0.5 - side * 0.05), c.height * 0.14), 5, 0.016 * c.unit)
    nature.bank(c, p, side=side, rise=0.13, reach=0.5)
    edge = (0.5 + side * 0.36) * c.width
    trees.willow(
        c, p, anchor=(edge, 0.05 * c.height), spread=0.26 * c.unit, drop=0.52 * c.height, trunk=True
    )


def walker(c: Canvas, p: Palette, r: Reading) -> None:
    line = float(c.rng.uniform(0.66, 0.72))
    nature.sky(c, p, line)
    if r.mood in ("night", "dusk", "snow"):
        light(c, p, r, high=0.2)
    ranges(c, p, r, line=line, count=5, tall=float(c.rng.uniform(0.36, 0.48)))
    nature.mist(c, p.haze, line - 0.03, 0.05, 0.55)
    if r.has("bridge"):
        buildings.bridge(c, p, (0.02 * c.width, line * c.height), 0.4 * c.unit, 0.1 * c.unit)
    tall = min(0.62 * c.height, 0.85 * c.width, 0.80 * c.unit)
    foot = (
        c.width * float(c.rng.uniform(0.42, 0.58)),
        min(0.90 * c.height, line * c.height + 0.34 * tall),
    )
    red = mix(p.accent, rgb("#d8432a"), 0.4)
    colours: list[Colour] = [red, red, rgb("#d98a2b"), rgb("#2f6f73")]
    umbrella = red if r.has("red") else colours[int(c.rng.integers(len(colours)))]
    robe = [rgb("#f1ece0"), rgb("#efe9e4"), rgb("#d9e4e2")][int(c.rng.integers(3))]
    nature.water(c, p, line, mirror=0.6)
    above = c.pixels.copy()
    people.walker(c, p, foot, tall, umbrella=umbrella, robe=robe)
    reflect_figure(c, above, foot, tall)
    nature.ripples(c, (foot[0], foot[1]), 0.24 * tall, p.haze, 0.45)
    side = int(c.rng.choice([-1, 1]))
    trees.willow(
        c,
        p,
        anchor=((0.5 + side * 0.40) * c.width, -0.05 * c.height),
        spread=0.20 * c.unit,
        drop=0.42 * c.height,
        trunk=False,
    )


def reflect_figure(c: Canvas, before: Field, foot: Point, tall: float) -> None:
    """Mirror in the water whatever was painted above `foot` since `before`."""
    y0 = int(foot[1])
    rows = min(c.height - y0, y0, int(0.9 * tall))
    if rows < 2:
        return
    changed = np.abs(c.pixels - before).max(axis=2) > 0.02
    depth = np.arange(rows, dtype=np.float32)[:, None]
    sway = (
        curve(rows, max(2.0, 0.016 * c.unit), c.rng)[:, None]
        * (0.004 + 0.02 * depth / tall)
        * c.unit
    )
    aside = np.clip(c.x + sway, 0, c.width - 1).astype(np.int32)
    above = np.clip(y0 - 1 - depth, 0, c.height - 1).astype(np.int32)
    seen, mask = c.pixels[above, aside], changed[above, aside].astype(np.float32)
    fade = 0.62 * (1 - 0.75 * depth / rows) * mask
    c.pixels[y0 : y0 + rows] += (seen - c.pixels[y0 : y0 + rows]) * fade[..., None]
