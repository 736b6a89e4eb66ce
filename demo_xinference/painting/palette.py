"""Mineral pigments on paper and silk, in moods."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from demo_xinference.painting.canvas import Colour, mix, rgb


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    sky: Colour
    """High in the sky."""
    haze: Colour
    """Low in the sky, and what mist is made of."""
    far: Colour
    near: Colour
    foot: Colour
    """Where a slope runs out."""
    water: Colour
    ink: Colour
    disc: Colour
    """Sun or moon."""
    accent: Colour
    leaf: Colour
    dark: bool = False


def pigments(row: str, *, dark: bool = False) -> Palette:
    colours = (rgb(f"#{each}") for each in row.split())
    sky, haze, far, near, foot, water, ink, disc, accent, leaf = colours
    return Palette(
        sky=sky,
        haze=haze,
        far=far,
        near=near,
        foot=foot,
        water=water,
        ink=ink,
        disc=disc,
        accent=accent,
        leaf=leaf,
        dark=dark,
    )


# fmt: off
# one row: sky, haze, far, near, foot, water, ink, disc, accent, leaf
MOODS: dict[str, tuple[Palette, ...]] = {
    "green": (
        pigments("d9cfae efe6cc 8fb3a8 1f6a5c c9a86a a9bfae 1d2b28 d4532c c8391f 4f8a5b"),
        pigments("c7d3c8 ecebdb 7fa9ab 1d5f6e b9ad7c a5c0bd 16282b e0693a c53a22 3f7f66"),
    ),
    "ink": (
        pigments("d8d9d2 f0eee6 a3adab 2d3a3d b9bbb1 c3c9c5 14191b c9462c b8321f 5c6a5f"),
        pigments("d6d3c8 f1ece0 a9aba4 383b3a c2bba8 cbc9bd 191918 c4452b b02f1e 6a6c5a"),
    ),
    "blue": (
        pigments("b4c9d4 e9efec 8fb0c2 1e4f74 a9c0bd 9fbccb 10222f f3e3b8 c23b26 41788a"),
        pigments("c2d2d6 eef0e8 93b2bd 2a5b74 bcc5b4 a9c2c8 142731 e2734a be3a25 4b8179"),
    ),
    "dusk": (
        pigments("8e6f86 f0b98a b98a84 4a3347 d59a6f b98680 241b26 e2502a c6351e 6d5a55"),
        pigments("5d6f8c f2c08c a58f95 3b3a52 cf9c74 a48d92 1b1e2b e5562b c93a20 5e6157"),
        pigments("d99a5f f6dba6 c79370 6a3626 e0b27a cf9d75 2b1814 c7361d a92a17 8a6237"),
    ),
    "night": (
        pigments(
            "0f1c33 3d587c 36527a 0d1a2c 2c4468 1d3454 070d17 f4e7bd d1452c 2f5a58", dark=True
        ),
        pigments(
            "12202a 42636c 3a5e69 0c1c22 2d4b52 1e3a42 060f12 f2ead0 d1452c 2c5f52", dark=True
        ),
    ),
    "snow": (
        pigments("a9b7c2 e4e9ea b9c7cf 5b7284 eef2f2 b4c3cb 1d2830 e36a4a c3392a 5d7570"),
        pigments("8fa0b2 dde3e6 a9b9c6 4b6074 edf1f3 a3b4c1 18222b f0e6cf c3392a 566d6f"),
    ),
    "spring": (
        pigments("cfdcd6 f6ece4 a8c4b8 4c8a76 dcd2b4 b5d0c8 23312c ec8f6a d9586a 7fae6b"),
        pigments("d6dbe0 f8ebe8 b2c3c9 5a8590 e0cdc6 bccfd2 26323a ef9a7c dc5f74 8fb377"),
    ),
    "autumn": (
        pigments("d7c7a6 f3e4c4 c29a6c 8a4524 d8a65e c2b191 2b1c15 cf4522 c43a1d b5702c"),
        pigments("c3c7bd f0e3cb b0a088 6f4a33 cf9f60 b3b5a6 241d19 d2502a c73f1f c07b2e"),
    ),
    "rain": (
        pigments("a7b4b4 d5dcd8 9dadae 42575b aab6b0 a2b1b1 182124 d9d9cc c23c25 5d7a6b"),
        pigments("9aa9b4 ced8da 93a6b1 394f5f a3b1b4 97a9b2 141f28 d6dad2 bd3a26 56766f"),
    ),
}
# fmt: on


def choose(mood: str, rng: np.random.Generator) -> Palette:
    """One of the mood's palettes, its pigments a little different on each day."""
    options = MOODS[mood]
    palette = options[int(rng.integers(len(options)))]
    other = options[int(rng.integers(len(options)))]
    share = float(rng.uniform(0, 0.5))
    return replace(
        palette,
        sky=mix(palette.sky, other.sky, share),
        haze=mix(palette.haze, other.haze, share),
        far=mix(palette.far, other.far, share),
        near=mix(palette.near, other.near, share),
        foot=mix(palette.foot, other.foot, share),
        water=mix(palette.water, other.water, share),
    )
