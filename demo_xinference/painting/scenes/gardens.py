"""Near views: pond, lotus, branch, bamboo."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from demo_xinference.painting import animals, flowers, nature, trees
from demo_xinference.painting.canvas import Canvas, Colour, mix, rgb
from demo_xinference.painting.noise import smoothstep
from demo_xinference.painting.palette import Palette
from demo_xinference.painting.reading import Reading

PINK = rgb("#e77f97")
WHITE = rgb("#f4efe6")


def pool(c: Canvas, p: Palette) -> None:
    """Water seen from above, lighter where the sky lies on it."""
    deep = mix(p.near, p.ink, 0.35 if not p.dark else 0.1)
    pale = mix(p.water, p.near, 0.45)
    c.gradient([(0, mix(pale, p.haze, 0.25)), (0.55, pale), (1, mix(pale, deep, 0.75))], waver=0.16)
    cloud = c.noise(0.35, octaves=5, stretch=2.2)
    c.glaze(0.45 * smoothstep(0.0, 0.7, cloud), deep)
    gleam = smoothstep(0.30, 0.85, c.noise(0.10, octaves=3, stretch=6.0))
    c.wash(0.22 * gleam, p.haze)


def lotus(c: Canvas, p: Palette, r: Reading) -> None:
    pool(c, p)
    rng, tint = c.rng, mix(PINK, p.accent, 0.12)
    if r.mood in ("night", "ink") and rng.random() < 0.5:
        tint = mix(WHITE, PINK, 0.35)
    nature.mist(c, p.haze, 0.08, 0.14, 0.6)
    places = sorted(
        float(rng.uniform(0.10, 1.02)) for _ in range(int(15 * c.width * c.height / c.unit**2))
    )
    for y in places:
        size = (0.060 + 0.135 * y) * c.unit * float(rng.uniform(0.75, 1.2))
        flowers.lotus_leaf(
            c,
            p,
            (float(rng.uniform(-0.05, 1.05)) * c.width, y * c.height),
            size,
            flat=0.34 + 0.16 * y,
            tone=float(rng.uniform(0.25, 0.95)),
        )
        if rng.random() < 0.16:
            nature.mist(c, p.haze, y, 0.05, 0.22)
    blooms = [
        (float(rng.uniform(0.34, 0.62)), 0.50, 0.205),
        (float(rng.uniform(0.74, 0.88)), 0.30, 0.105),
        (float(rng.uniform(0.10, 0.24)), 0.36, 0.085),
    ]
    for x, y, size in sorted(blooms, key=lambda bloom: bloom[2]):
        top = (x * c.width, y * c.height)
        foot = (top[0] + float(rng.normal(0, 0.04)) * c.unit, top[1] + (0.30 + size) * c.height)
        flowers.stem(c, p, top, foot, 0.016 * c.unit * (0.6 + 2 * size))
        flowers.lotus_flower(c, p, top, size * c.unit, tint)
    front = (float(rng.choice([0.2, 0.8])) * c.width, 0.97 * c.height)
    flowers.lotus_leaf(c, p, front, 0.34 * c.unit, flat=0.42, tone=0.75)


def pond(c: Canvas, p: Palette, r: Reading) -> None:
    pool(c, p)
    rng = c.rng
    count = int(np.clip(5 * c.width * c.height / c.unit**2, 4, 10))
    start, centre = float(rng.uniform(0, 6.28)), (0.5 * c.width, 0.52 * c.height)
    for k in range(count):
        around = start + k * 2 * math.pi / count + float(rng.normal(0, 0.2))
        reach = float(rng.uniform(0.20, 0.34))
        at = (
            centre[0] + math.cos(around) * reach * c.width * 0.95,
            centre[1] + math.sin(around) * reach * c.height * 0.95,
        )
        animals.koi(
            c,
            p,
            at,
            c.unit * float(rng.uniform(0.26, 0.36)),
            around + math.pi / 2 + float(rng.normal(0, 0.3)),
            int(rng.integers(3)) if k else 0,
        )
    gleam = smoothstep(0.42, 0.9, c.noise(0.16, octaves=3, stretch=4.0))
    c.wash(0.30 * gleam, p.haze)
    for _ in range(int(9 * c.width * c.height / c.unit**2)):
        x, y = float(rng.random()), float(rng.random())
        if abs(x - 0.5) < 0.30 and abs(y - 0.5) < 0.30:
            continue
        flowers.lotus_leaf(
            c,
            p,
            (x * c.width, y * c.height),
            c.unit * float(rng.uniform(0.06, 0.15)),
            flat=0.86,
            tone=float(rng.uniform(0.2, 0.8)),
        )
    corner = (float(rng.choice([0.16, 0.84])) * c.width, float(rng.choice([0.14, 0.86])) * c.height)
    flowers.lotus_flower(c, p, corner, 0.11 * c.unit, mix(PINK, p.accent, 0.1))


def branch(c: Canvas, p: Palette, r: Reading) -> None:
    nature.sky(c, p, 1.0)
    rng = c.rng
    side = int(rng.choice([-1, 1]))
    centre = (
        (0.5 - side * float(rng.uniform(0.06, 0.16))) * c.width,
        float(rng.uniform(0.28, 0.38)) * c.height,
    )
    pale = mix(p.haze, (1.0, 0.97, 0.86), 0.75)
    if r.mood == "night":
        nature.stars(c, 0.9, 60)
    nature.disc(
        c, p if p.dark else mooned(p, pale), centre, float(rng.uniform(0.19, 0.25)) * c.unit
    )
    nature.mountains(
        c,
        nature.Range(
            base=1.0,
            height=0.16,
            width=0.22,
            top=mix(p.far, p.haze, 0.45),
            foot=p.haze,
            snow=1.0 if r.mood == "snow" else 0.0,
        ),
    )
    nature.mist(c, p.haze, 0.88, 0.08, 0.8)
    bloom: Colour = mix(p.accent, rgb("#d2364c"), 0.4)
    if r.mood == "spring" or r.has("petals"):
        bloom = rgb("#ea8fa3")
    start = ((0.5 + side * 0.54) * c.width, float(rng.uniform(0.70, 0.92)) * c.height)
    target = (centre[0] - side * 0.10 * c.unit, centre[1] - 0.02 * c.height)
    angle = math.atan2(target[1] - start[1], target[0] - start[0])
    reach = math.hypot(target[0] - start[0], target[1] - start[1])
    flowers.plum(c, p, start=start, angle=angle + side * 0.12, length=1.08 * reach, bloom=bloom)
    flowers.plum(
        c,
        p,
        start=(start[0], start[1] - 0.30 * c.height),
        angle=angle + side * 0.35,
        length=0.62 * reach,
        bloom=bloom,
    )
    petals = [
        (float(rng.uniform(0.05, 0.95)) * c.width, float(rng.uniform(0.2, 0.97)) * c.height)
        for _ in range(16)
    ]
    for spot in petals:
        flowers.bud(c, spot, 0.006 * c.unit, mix(bloom, p.haze, 0.3))


def mooned(p: Palette, pale: Colour) -> Palette:
    return replace(p, disc=pale)


def grove(c: Canvas, p: Palette, r: Reading) -> None:
    nature.sky(c, p, 1.0)
    rng = c.rng
    if r.mood in ("night", "dusk") or rng.random() < 0.5:
        shown = p if p.dark else mooned(p, mix(p.disc, p.haze, 0.25))
        nature.disc(
            c, shown, (float(rng.uniform(0.3, 0.7)) * c.width, 0.26 * c.height), 0.11 * c.unit
        )
    for tone in (1.0, 0.72, 0.40, 0.0):
        for _ in range(int(max(2, round((4 - 2.2 * (1 - tone)) * c.width / c.unit)))):
            place = float(rng.uniform(0.04, 0.96))
            if tone < 0.3:
                place = float(rng.choice([rng.uniform(0.05, 0.30), rng.uniform(0.70, 0.95)]))
            trees.bamboo(
                c,
                p,
                x=place * c.width,
                width=c.unit * (0.020 + 0.024 * (1 - tone)) * float(rng.uniform(0.8, 1.2)),
                tone=tone,
                lean=float(rng.normal(0, 0.03)),
            )
        if tone:
            nature.mist(c, p.haze, float(rng.uniform(0.5, 0.95)), 0.14, 0.5)
    nature.bank(c, p, side=int(rng.choice([-1, 1])), rise=0.09, reach=0.9)
