"""Cranes, sea, pines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from demo_xinference.painting import animals, buildings, nature, people, trees
from demo_xinference.painting.canvas import Canvas, Colour, mix, rgb
from demo_xinference.painting.nature import Range
from demo_xinference.painting.noise import curve, smoothstep
from demo_xinference.painting.palette import Palette
from demo_xinference.painting.reading import Reading
from demo_xinference.painting.scenes.views import light, ranges


def cranes(c: Canvas, p: Palette, r: Reading) -> None:
    nature.sky(c, p, 0.95)
    centre = (
        c.width * float(c.rng.uniform(0.36, 0.64)),
        c.height * float(c.rng.uniform(0.30, 0.40)),
    )
    if r.mood == "night":
        nature.stars(c, 0.7, 70)
    nature.disc(c, p, centre, float(c.rng.uniform(0.17, 0.22)) * c.unit)
    ranges(c, p, r, line=0.97, count=3, tall=0.30)
    for at in (0.62, 0.78, 0.93):
        nature.mist(c, p.haze, at, 0.055, 0.75)
    mirrored = bool(c.rng.random() < 0.5)
    count = int(c.rng.integers(3, 6))
    for k in range(count):
        share = (k + 0.5) / count
        x = (0.16 + 0.68 * share) * c.width + float(c.rng.normal(0, 0.03)) * c.width
        y = (0.30 + 0.30 * abs(share - 0.45) + float(c.rng.uniform(-0.08, 0.14))) * c.height
        size = c.unit * float(c.rng.uniform(0.13, 0.17)) * (1.25 if k == count // 2 else 0.9)
        animals.crane(c, p, (x, y), size, mirrored=mirrored)
    nature.mist(c, p.haze, 0.88, 0.05, 0.5)


def sea(c: Canvas, p: Palette, r: Reading) -> None:
    """Rows of crested waves under a large sun, as an old master drew water."""
    line = float(c.rng.uniform(0.40, 0.48))
    if r.mood in ("dusk", "autumn"):
        # a red sky over water that keeps its own colour
        p = replace(
            p,
            water=mix(rgb("#7fa39a"), p.water, 0.2),
            near=mix(rgb("#1d4f58"), p.near, 0.15),
            far=mix(rgb("#5c8f93"), p.far, 0.25),
        )
    nature.sky(c, p, line)
    radius = float(c.rng.uniform(0.11, 0.16)) * c.unit
    x = c.width * float(c.rng.uniform(0.3, 0.7))
    if r.mood == "night":
        nature.stars(c, 0.4, 90)
    nature.disc(c, p, (x, line * c.height - 0.45 * radius), radius)
    nature.mountains(
        c,
        Range(
            base=line + 0.01,
            height=0.10,
            width=0.16,
            top=mix(p.far, p.haze, 0.2),
            foot=p.haze,
            density=0.5,
            fade=0.05,
        ),
    )
    nature.mist(c, p.haze, line, 0.03, 0.8)
    rows = 11
    foam = mix(p.haze, (1.0, 1.0, 0.98), 0.6)
    for k in range(rows):
        near = k / (rows - 1)
        y0 = (line + (1.02 - line) * (k + 0.4) / rows) * c.height
        swell(c, p, y0, near, foam)
    if r.has("boat") or c.rng.random() < 0.5:
        people.boat(
            c,
            p,
            (c.width * float(c.rng.uniform(0.25, 0.75)), (line + 0.16) * c.height),
            0.075 * c.unit,
        )
    animals.flock(
        c, p, (c.width * float(c.rng.uniform(0.2, 0.8)), 0.16 * c.height), 5, 0.018 * c.unit
    )


def swell(c: Canvas, p: Palette, y0: float, near: float, foam: Colour) -> None:
    """One row of water with its crest line and the lines that follow it."""
    rng = c.rng
    tall = (0.010 + 0.055 * near) * c.unit
    long = (0.10 + 0.22 * near) * c.unit
    phase = float(rng.uniform(0, 6.28))
    bent = c.x[0] + 0.35 * long * curve(c.width, 0.5 * c.unit, rng)
    angle = bent / np.float32(long) * 6.283 + phase
    crest = y0 - tall * (
        np.abs(np.sin(angle / 2)) ** 0.7 * 1.1 - 0.5 + 0.35 * curve(c.width, 0.3 * c.unit, rng)
    )
    crest = crest.astype(np.float32)
    depth = c.y - crest[None, :]
    mask = np.clip(depth / 1.5 + 0.5, 0, 1).astype(np.float32)
    body = smoothstep(0, float(2.6 * tall + 4), depth)[..., None]
    top = np.asarray(mix(mix(p.water, p.haze, 0.45 * (1 - near)), p.far, 0.35 * near), np.float32)
    low = np.asarray(mix(mix(p.water, p.near, 0.25), p.near, 0.25 + 0.65 * near), np.float32)
    c.wash(mask, top + (low - top) * body)
    fleck = smoothstep(
        0.1, 0.6, c.noise(0.02, octaves=2, stretch=3) + 0.35 * c.noise(0.2, stretch=2)
    )
    rim = np.exp(-np.abs(depth) / np.float32(max(0.8, 0.0045 * c.unit * (0.4 + near))))
    c.wash(np.clip(rim * (0.45 + 0.55 * fleck), 0, 1).astype(np.float32) * mask, foam)
    for j in range(1, 5):
        offset = np.float32(j * 0.34 * tall + 0.10 * j * j * tall)
        thread = np.exp(-np.abs(depth - offset) / np.float32(max(0.7, 0.0016 * c.unit)))
        strength = (0.42 - 0.08 * j) * (0.35 + 0.65 * near)
        c.wash((thread * strength * (0.4 + 0.6 * fleck)).astype(np.float32), foam)


def pines(c: Canvas, p: Palette, r: Reading) -> None:
    nature.sky(c, p, 0.9)
    light(c, p, r, high=float(c.rng.uniform(0.18, 0.28)))
    ranges(c, p, r, line=1.0, count=4, tall=0.52)
    for at in (0.66, 0.84):
        nature.mist(c, p.haze, at, 0.06, 0.75)
    side = int(c.rng.choice([-1, 1]))
    top = nature.bank(c, p, side=side, rise=0.36, reach=0.62)
    for place, tall in ((0.14, 0.56), (0.27, 0.40), (0.05, 0.34)):
        share = place if side < 0 else 1 - place
        ground = float(top[int(share * (c.width - 1))])
        trees.pine(
            c,
            p,
            root=(share * c.width, ground + 0.02 * c.unit),
            height=tall * c.unit,
            lean=-side * float(c.rng.uniform(0.05, 0.4)),
        )
    animals.flock(c, p, (c.width * (0.5 - side * 0.18), 0.3 * c.height), 6, 0.017 * c.unit)
    if r.has("temple") or c.rng.random() < 0.4:
        buildings.pavilion(c, p, ((0.5 - side * 0.26) * c.width, 0.80 * c.height), 0.11 * c.unit, 3)
        nature.mist(c, p.haze, 0.82, 0.04, 0.7)
