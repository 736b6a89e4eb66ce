"""Smooth random fields, the material of mist, ridges and paper."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Field = npt.NDArray[np.float32]
Shape = tuple[int, int]


def resized(field: Field, shape: Shape) -> Field:
    """`field` in another resolution, bicubic; far smaller targets are averaged, not sampled."""
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32), mode=None)
    height, width = shape
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)


def lattice(
    shape: Shape, cell: tuple[float, float], rng: np.random.Generator
) -> Field:
    """Noise of about -1..1 whose features are `cell` = (height, width) pixels large."""
    rows, columns = (max(1.0, each) for each in cell)
    grid = (int(shape[0] / rows) + 4, int(shape[1] / columns) + 4)
    coarse = rng.uniform(-1, 1, grid).astype(np.float32)
    full = (int(grid[0] * rows) + 1, int(grid[1] * columns) + 1)
    top, left = int(1.5 * rows), int(1.5 * columns)
    return resized(coarse, full)[top : top + shape[0], left : left + shape[1]]


def fbm(
    shape: Shape,
    cell: float,
    rng: np.random.Generator,
    *,
    octaves: int = 4,
    stretch: float = 1.0,
    gain: float = 0.5,
) -> Field:
    """Sum of octaves, about -1..1; `stretch` > 1 draws the features out along the rows."""
    total = np.zeros(shape, dtype=np.float32)
    weight, norm = 1.0, 0.0
    for octave in range(octaves):
        size = cell / 2**octave
        if size < 1 and octave:
            break
        total += weight * lattice(shape, (size, size * stretch), rng)
        norm += weight
        weight *= gain
    return total / np.float32(norm)


def curve(length: int, cell: float, rng: np.random.Generator, *, octaves: int = 4) -> Field:
    """Noise along a line, about -1..1."""
    return fbm((1, length), cell, rng, octaves=octaves)[0]


def smoothstep(low: float, high: float, value: Field) -> Field:
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def blurred(field: Field, radius: float) -> Field:
    """`field` (two or three axes) averaged over about `radius` pixels, nearly Gaussian."""
    reach = int(radius)
    if reach < 1:
        return field
    for axis in (0, 1):
        for _ in range(2):
            field = box(field, reach, axis)
    return field


def box(field: Field, reach: int, axis: int) -> Field:
    reach = min(reach, field.shape[axis] - 1)
    pad = [(0, 0)] * field.ndim
    pad[axis] = (reach + 1, reach)
    sums = np.cumsum(np.pad(field, pad, mode="edge"), axis=axis, dtype=np.float64)
    size, width = field.shape[axis], 2 * reach + 1
    upper = sums.take(range(width, width + size), axis=axis)
    lower = sums.take(range(size), axis=axis)
    return ((upper - lower) / width).astype(np.float32)
