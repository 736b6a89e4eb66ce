"""The sheet a composition is laid on: washes of colour through masks and brush marks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from demo_xinference.painting.noise import Field, blurred, fbm

Colour = tuple[float, float, float]
Point = tuple[float, float]
Points = npt.NDArray[np.float64]


def rgb(text: str) -> Colour:
    """Colour of "#rrggbb", each part 0..1."""
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` 0 = first, 1 = second."""
    a, b, c = (one + (two - one) * share for one, two in zip(first, second, strict=True))
    return a, b, c


class Canvas:
    """Pixels in 0..1; lengths are pixels, `unit` is the one that compositions measure in."""

    def __init__(self, width: int, height: int, seed: int) -> None:
        self.width, self.height = width, height
        self.unit = min(math.sqrt(width * height), 1.35 * min(width, height))
        self.rng = np.random.default_rng(seed)
        self.pixels = np.zeros((height, width, 3), dtype=np.float32)
        self.y = np.arange(height, dtype=np.float32)[:, None]
        self.x = np.arange(width, dtype=np.float32)[None, :]

    @property
    def shape(self) -> tuple[int, int]:
        return self.height, self.width

    def shows(self, centre: Point, reach: float) -> bool:
        """Whether a mark of this half width can be on the sheet."""
        x, y = centre
        return -reach < x < self.width + reach and -reach < y < self.height + reach

    def noise(self, cell: float, *, octaves: int = 4, stretch: float = 1.0) -> Field:
        """Noise with features of `cell` units."""
        return fbm(self.shape, cell * self.unit, self.rng, octaves=octaves, stretch=stretch)

    def gradient(self, stops: Sequence[tuple[float, Colour]], waver: float = 0.0) -> None:
        """Fill from top (0) to bottom (1); `waver` lets the borders drift, in shares of height."""
        place = np.broadcast_to(self.y / self.height, self.shape)
        if waver:
            place = place + waver * self.noise(0.5, stretch=3)
        where = [stop for stop, _ in stops]
        for channel in range(3):
            self.pixels[..., channel] = np.interp(
                place, where, [colour[channel] for _, colour in stops]
            )

    def wash(self, alpha: Field, colour: Colour | Field) -> None:
        """Lay opaque colour through `alpha` (0..1, whole sheet)."""
        self.pixels += (np.asarray(colour, dtype=np.float32) - self.pixels) * alpha[..., None]

    def glaze(self, alpha: Field, colour: Colour) -> None:
        """Lay transparent colour: it darkens what is below, as ink does."""
        tint = 1 - (1 - np.asarray(colour, dtype=np.float32)) * alpha[..., None]
        self.pixels *= tint

    def glow(self, centre: Point, radius: float, colour: Colour, strength: float) -> None:
        """Light that fades with distance; never brighter than white."""
        distance = np.hypot(self.x - np.float32(centre[0]), self.y - np.float32(centre[1]))
        alpha = np.float32(strength) * np.exp(-((distance / np.float32(radius)) ** 2))
        self.pixels += (1 - self.pixels) * alpha[..., None] * np.asarray(colour, dtype=np.float32)

    def disc(self, centre: Point, radius: float, colour: Colour, opacity: float = 1.0) -> Field:
        """A disc with a soft rim; gives its mask."""
        distance = np.hypot(self.x - np.float32(centre[0]), self.y - np.float32(centre[1]))
        mask: Field = np.clip((np.float32(radius) - distance) / np.float32(1.6) + 0.5, 0, 1)
        self.wash(mask * np.float32(opacity), colour)
        return mask

    def stamp(
        self,
        outlines: Iterable[Points],
        colour: Colour,
        *,
        opacity: float = 1.0,
        soft: float = 0.0,
        dry: float = 0.0,
        shade: Colour | None = None,
        ink: bool = False,
    ) -> None:
        """Fill outlines (pixels) as one mark.

        soft: blur in pixels; dry: 0..1, how much paper shows through; shade: colour at the
        mark's lower edge; ink: darken instead of cover.
        """
        found = self.mask(outlines, soft)
        if found is None:
            return
        rows, columns, alpha = found
        if dry:
            grain = fbm(alpha.shape, max(2.0, 0.008 * self.unit), self.rng, octaves=2)
            alpha = alpha * np.clip(1 - dry * (0.5 + 0.9 * grain), 0, 1)
        alpha = alpha[..., None] * np.float32(opacity)
        target = self.pixels[rows, columns]
        paint = np.asarray(colour, dtype=np.float32)
        if shade is not None:
            share = np.linspace(0, 1, alpha.shape[0], dtype=np.float32)[:, None, None]
            paint = paint + (np.asarray(shade, dtype=np.float32) - paint) * share
        if ink:
            target *= 1 - (1 - paint) * alpha
        else:
            target += (paint - target) * alpha

    def mask(
        self, outlines: Iterable[Points], soft: float = 0.0
    ) -> tuple[slice, slice, Field] | None:
        """Where the outlines are: rows, columns and coverage there; None if off the sheet."""
        shapes = [each for each in outlines if len(each) > 2]
        if not shapes:
            return None
        margin = 2 + 2 * soft
        points = np.concatenate(shapes)
        low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
        left, top = max(0, math.floor(low[0])), max(0, math.floor(low[1]))
        right = min(self.width, math.ceil(high[0]))
        bottom = min(self.height, math.ceil(high[1]))
        if left >= right or top >= bottom:
            return None
        finer = 3 if max(right - left, bottom - top) < 1500 else 2
        image = Image.new("L", ((right - left) * finer, (bottom - top) * finer))
        draw = ImageDraw.Draw(image)
        placed = ((points - (left, top)) * finer).ravel().tolist()
        end = 0
        for each in shapes:
            start, end = end, end + each.size
            draw.polygon(placed[start:end], fill=255)
        alpha = np.asarray(image.reduce(finer), dtype=np.float32) / 255
        return slice(top, bottom), slice(left, right), blurred(alpha, soft)
