"""Sky, mountains, mist, water and weather."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo_xinference.painting import brush
from demo_xinference.painting.canvas import Canvas, Colour, Point, mix
from demo_xinference.painting.noise import Field, blurred, curve, fbm, smoothstep
from demo_xinference.painting.palette import Palette


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """One chain of mountains; heights and widths in shares of the picture's height or unit."""

    base: float
    height: float
    width: float
    top: Colour
    foot: Colour
    density: float = 1.0
    rough: float = 0.012
    fade: float = 0.16
    snow: float = 0.0
    lean: float = 0.0


def sky(c: Canvas, p: Palette, horizon: float) -> None:
    low = mix(p.haze, p.sky, 0.15)
    c.gradient(
        [(0, p.sky), (0.55 * horizon, mix(p.sky, p.haze, 0.55)), (horizon, p.haze), (1, low)],
        waver=0.07,
    )
    cloud = c.noise(0.5, stretch=4.0, octaves=5)
    c.wash(0.35 * smoothstep(0.05, 0.7, cloud), mix(p.haze, p.sky, -0.25 if p.dark else 0.0))


def disc(c: Canvas, p: Palette, centre: Point, radius: float) -> None:
    """Sun or moon with its halo, a little uneven like pigment on paper."""
    c.glow(centre, 3.2 * radius, mix(p.disc, p.haze, 0.35), 0.42 if p.dark else 0.25)
    c.glow(centre, 1.6 * radius, p.disc, 0.35 if p.dark else 0.18)
    mask = c.disc(centre, radius, p.disc, 0.96)
    stain = smoothstep(-0.1, 0.9, c.noise(0.07, octaves=5))
    c.glaze(mask * stain * np.float32(0.16), mix(p.haze, p.near, 0.5))


def stars(c: Canvas, below: float, count: int) -> None:
    for _ in range(count):
        x, y = c.rng.uniform(0, c.width), c.rng.uniform(0, below * c.height) ** 1.0
        size = max(0.7, c.unit * 0.0016 * c.rng.gamma(2.0, 0.5))
        c.stamp(
            [brush.ellipse((x, y), size, size)],
            (1.0, 0.97, 0.86),
            opacity=float(c.rng.uniform(0.35, 1.0) * (1 - 0.6 * y / (below * c.height))),
        )


def ridge(c: Canvas, r: Range) -> Field:
    """Height of the crest above the base for each column, in pixels."""
    width, height = r.width * c.unit, r.height * c.height
    margin = 2 * width
    crest = np.zeros(c.width, dtype=np.float32)
    x = np.arange(c.width, dtype=np.float32)
    place = -margin + float(c.rng.uniform(0, width))
    while place < c.width + margin:
        half = width * float(c.rng.uniform(0.45, 1.25))
        tall = height * float(c.rng.uniform(0.35, 1.0)) * (0.6 + 0.4 * half / width)
        t = (x - place) / half
        t = np.where(t > 0, t * float(c.rng.uniform(0.8, 1.25)), t)
        bump = tall * np.exp(-(np.abs(t) ** float(c.rng.uniform(1.25, 1.9))) * 1.7)
        crest = np.maximum(crest, bump) + 0.22 * np.minimum(crest, bump)
        place += half * float(c.rng.uniform(0.8, 2.0)) / r.density
    crest += 0.10 * height * curve(c.width, 0.4 * width, c.rng, octaves=2)
    crest += r.rough * c.unit * curve(c.width, 0.06 * c.unit, c.rng, octaves=5)
    return crest.astype(np.float32)


def mountains(c: Canvas, r: Range) -> Field:
    """Paint one range; gives the y of its crest for each column."""
    crest = (r.base * c.height - ridge(c, r)).astype(np.float32)
    depth = c.y - crest[None, :]
    mask = np.clip(depth / np.float32(1.5) + 0.5, 0, 1).astype(np.float32)
    span = max(1.0, r.height * c.height)
    slope = np.gradient(blurred(crest[None, :].repeat(2, 0), 0.012 * c.unit)[0])[None, :]
    tone = creases(c, depth, slope.astype(np.float32))
    body = smoothstep(0, 0.95, depth / np.float32(span))
    colour = np.asarray(r.top, np.float32) + body[..., None] * (
        np.asarray(r.foot, np.float32) - np.asarray(r.top, np.float32)
    )
    edge = np.exp(-np.maximum(depth, 0) / np.float32(0.055 * c.unit))
    light = np.float32(0.16) * np.tanh(slope * np.float32(1.2))
    strength = np.clip(1 - body, 0.1, 1)
    colour *= (1 - (0.30 * edge + 0.26 * tone + light) * strength)[..., None]
    if r.snow:
        snow_on(c, colour, depth, tone, slope, r.snow)
    fade = np.float32(max(1.0, r.fade * c.height))
    drift = 0.35 * fade * c.noise(0.35, stretch=3.5)
    foot = 1 - smoothstep(-1.0, 0.25, (c.y + drift - np.float32(r.base * c.height)) / fade)
    c.wash(mask * (0.12 + 0.88 * foot).astype(np.float32), np.clip(colour, 0, 1))
    return crest


def creases(c: Canvas, depth: Field, slope: Field) -> Field:
    """Texture strokes that run down the slopes, 0..1 where the rock turns from the light."""
    grain = fbm(c.shape, 0.030 * c.unit, c.rng, octaves=4, stretch=0.30)
    shift = np.clip(depth, 0, 0.45 * c.unit) * np.tanh(slope) * np.float32(0.45)
    columns = np.clip(c.x - shift, 0, c.width - 1).astype(np.int32)
    rows = np.broadcast_to(c.y.astype(np.int32), c.shape)
    streak = grain[rows, columns]
    rock = fbm(c.shape, 0.10 * c.unit, c.rng, octaves=4)
    return smoothstep(-0.15, 0.55, 0.75 * streak + 0.55 * rock)


def snow_on(
    c: Canvas, colour: Field, depth: Field, tone: Field, slope: Field, amount: float
) -> None:
    reach = np.float32(amount * 0.16 * c.unit)
    lying = 1 - smoothstep(0.15, 1.0, depth / reach + 0.75 * tone + 0.25 * np.tanh(slope))
    white = np.asarray((0.965, 0.975, 0.985), np.float32)
    colour += (white - colour) * (0.92 * lying)[..., None]


def mist(c: Canvas, colour: Colour, at: float, thickness: float, strength: float) -> None:
    """A drifting band around `at` (share of the height)."""
    body = c.noise(0.42, stretch=5.0, octaves=5)
    place = (c.y / np.float32(c.height) - np.float32(at) + 0.5 * thickness * body) / thickness
    band = np.exp(-(place**2)) * (0.72 + 0.5 * c.noise(0.25, stretch=4.0))
    c.wash(np.clip(np.float32(strength) * band, 0, 1).astype(np.float32), colour)


def water(c: Canvas, p: Palette, line: float, *, mirror: float = 0.55, calm: float = 1.0) -> None:
    """Everything below `line` becomes water that shows what stands above it."""
    top = int(line * c.height)
    rows = c.height - top
    if rows < 2 or top < 2:
        return
    depth = np.arange(rows, dtype=np.float32)[:, None]
    share = depth / np.float32(rows)
    ripple = fbm((rows, c.width), 0.045 * c.unit, c.rng, octaves=3, stretch=7.0)
    fine = fbm((rows, c.width), 0.014 * c.unit, c.rng, octaves=2, stretch=9.0)
    sway = (0.3 + share) * np.float32(0.022 * c.unit / calm)
    source = top - 1 - depth * np.float32(min(1.15, top / rows)) + sway * 2.2 * ripple
    above = np.clip(source, 0, top - 1).astype(np.int32)
    aside = np.clip(c.x + sway * 1.6 * (ripple + fine), 0, c.width - 1).astype(np.int32)
    seen = c.pixels[above, aside]
    near = mix(p.water, p.near, 0.30)
    body = (
        np.asarray(p.water, np.float32)
        + (np.asarray(near, np.float32) - np.asarray(p.water, np.float32)) * (share**1.5)[..., None]
    )
    blend = np.float32(mirror) * (1 - 0.45 * share)[..., None]
    surface = body + (seen - body) * blend
    glint = smoothstep(0.28, 0.75, 0.6 * ripple + 0.6 * fine) * (0.25 + 0.75 * share)
    surface += (np.asarray(p.haze, np.float32) - surface) * (0.38 * glint)[..., None]
    trough = smoothstep(0.25, 0.8, -0.5 * ripple - 0.7 * fine)
    surface *= (1 - 0.16 * trough)[..., None]
    shore = np.exp(-depth / np.float32(0.012 * c.height))
    surface += (np.asarray(p.haze, np.float32) - surface) * (0.5 * shore)[..., None]
    c.pixels[top:] = surface


def ripples(c: Canvas, centre: Point, across: float, colour: Colour, strength: float) -> None:
    """Rings around something that touches the water."""
    for k in range(3):
        size = across * (1 + 0.55 * k)
        ring = brush.ellipse(centre, size, 0.16 * size)
        inner = brush.ellipse(centre, size * 0.985, 0.16 * size * 0.94)
        c.stamp(
            [np.vstack([ring, ring[:1], inner[::-1], inner[-1:]])],
            colour,
            opacity=strength / (k + 1),
            soft=0.6,
        )


def rain(c: Canvas, p: Palette, amount: float) -> None:
    slant = float(c.rng.uniform(0.10, 0.28))
    bright = mix(p.haze, (1.0, 1.0, 1.0), 0.5)
    for weight, size in ((0.20, 0.05), (0.34, 0.085)):
        count = int(amount * 220 * c.width * c.height / c.unit**2)
        lines = []
        for _ in range(count):
            x = float(c.rng.uniform(-0.1, 1.1)) * c.width
            y = float(c.rng.uniform(-0.1, 1.0)) * c.height
            run = size * c.unit * float(c.rng.uniform(0.5, 1.2))
            path = np.asarray([(x, y), (x - slant * run, y + run)])
            lines.append(
                brush.stroke(
                    brush.smooth([tuple(path[0]), tuple(path[1])], 6),
                    max(0.9, 0.0022 * c.unit),
                    start=0.3,
                    end=1,
                )
            )
        for part in range(0, len(lines), 60):
            c.stamp(lines[part : part + 60], bright, opacity=weight)


def snowfall(c: Canvas, amount: float) -> None:
    count = int(amount * 330 * c.width * c.height / c.unit**2)
    for _ in range(count):
        x, y = c.rng.uniform(0, c.width), c.rng.uniform(0, c.height)
        size = max(0.8, c.unit * 0.0024 * float(c.rng.gamma(2.2, 0.55)))
        c.stamp(
            [brush.ellipse((float(x), float(y)), size, size * 0.9)],
            (0.99, 0.99, 1.0),
            opacity=float(c.rng.uniform(0.45, 0.95)),
            soft=0.35 * size,
        )


def bank(c: Canvas, p: Palette, *, side: int, rise: float, reach: float) -> Field:
    """A near shore in a lower corner (side -1 left, 1 right); gives its outline's y per column."""
    x = c.x[0] / np.float32(c.width)
    if side > 0:
        x = 1 - x
    shape = np.float32(rise) * (1 - smoothstep(0, reach, x)) * (1 + 0.2 * curve(c.width, 60, c.rng))
    top = c.height * (1.0 - shape) + 0.012 * c.unit * curve(c.width, 0.1 * c.unit, c.rng)
    depth = c.y - top[None, :].astype(np.float32)
    mask = np.clip(depth / 1.5 + 0.5, 0, 1).astype(np.float32)
    tone = creases(c, depth, np.zeros((1, c.width), np.float32))
    base = np.asarray(mix(p.near, p.ink, 0.35), np.float32)
    colour = base * (1.12 - 0.45 * tone[..., None])
    moss = np.exp(-np.maximum(depth, 0) / np.float32(0.03 * c.unit))
    colour += (np.asarray(p.leaf, np.float32) - colour) * (0.35 * moss)[..., None]
    c.wash(mask, np.clip(colour, 0, 1))
    return top.astype(np.float32)
