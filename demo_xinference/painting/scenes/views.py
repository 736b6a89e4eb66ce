"""What wide views share: ranges in mist, sun or moon, its path on water."""

from __future__ import annotations

from demo_xinference.painting import brush, nature
from demo_xinference.painting.canvas import Canvas, Point, mix
from demo_xinference.painting.nature import Range
from demo_xinference.painting.palette import Palette
from demo_xinference.painting.reading import Reading


def ranges(c: Canvas, p: Palette, r: Reading, *, line: float, count: int, tall: float) -> None:
    """`count` chains from far and pale to near and dark, mist between them; they end at `line`."""
    snow = 1.0 if r.mood == "snow" or r.has("snow") else 0.0
    for k in range(count):
        near = k / max(1, count - 1)
        top = mix(mix(p.far, p.haze, 0.45), p.near, near**1.25)
        foot = mix(
            mix(p.haze, p.far, 0.25),
            mix(p.foot, p.near, 0.25 if not p.dark else 0.5),
            0.25 + 0.6 * near,
        )
        rise = tall * (1 - 0.42 * near) * float(c.rng.uniform(0.85, 1.12))
        nature.mountains(
            c,
            Range(
                base=line - 0.10 * tall * (1 - near) + 0.012 * k,
                height=rise,
                width=(0.11 + 0.05 * float(c.rng.random())) * (1.15 - 0.35 * near),
                top=top,
                foot=foot,
                density=0.9 + 0.4 * float(c.rng.random()),
                rough=0.006 + 0.010 * near,
                fade=0.20 - 0.07 * near,
                snow=snow * (0.7 + 0.5 * near),
            ),
        )
        if k < count - 1:
            nature.mist(
                c,
                mix(p.haze, p.sky, 0.12),
                line - 0.06 * tall - 0.10 * tall * (1 - near),
                0.05 + 0.03 * float(c.rng.random()),
                0.30 + 0.35 * float(c.rng.random()),
            )


def light(c: Canvas, p: Palette, r: Reading, *, high: float, side: float | None = None) -> Point:
    """Sun or moon somewhere up to `high` (share of height); gives its place."""
    x = (
        side
        if side is not None
        else float(c.rng.choice([c.rng.uniform(0.2, 0.38), c.rng.uniform(0.62, 0.8)]))
    )
    centre = (x * c.width, high * c.height)
    radius = c.unit * float(c.rng.uniform(0.055, 0.085)) * (1.25 if r.mood == "night" else 1.0)
    if r.mood == "night":
        nature.stars(c, 0.6, 150 if r.has("stars") else 70)
    if r.mood != "rain" or r.has("moon") or r.has("sun"):
        nature.disc(c, p, centre, radius)
    return centre


def path_of_light(c: Canvas, p: Palette, x: float, line: float) -> None:
    """Broken gleams below sun or moon."""
    rng, top = c.rng, line * c.height
    gleams = []
    for _ in range(70):
        depth = float(rng.random()) ** 1.4
        y = top + depth * (c.height - top)
        wide = (0.012 + 0.050 * depth) * c.unit * float(rng.uniform(0.5, 1.6))
        at = x + float(rng.normal(0, 0.25 + depth)) * 0.045 * c.unit
        gleams.append(brush.ellipse((at, y), wide, max(0.6, 0.0030 * c.unit * (0.5 + depth))))
    c.stamp(
        gleams,
        mix(p.disc, (1.0, 1.0, 0.95), 0.25),
        opacity=0.55 if p.dark else 0.42,
        soft=0.0012 * c.unit,
    )
