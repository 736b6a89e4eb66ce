"""Smooth random fields, the material of mist, ridges and paper."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Field = npt.NDArray[np.floating[Any]]
Shape = tuple[int, int]


DENSE = 96
"""Lattice points per axis up to which a matrix product is faster than resampling."""


def resized(field: Field, shape: Shape) -> Field:
    """`field` in a higher resolution, bicubic."""
    height, width = shape
    if max(field.shape) <= DENSE:
        return spread(field.shape[0], height) @ field @ spread(field.shape[1], width).T
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)


@lru_cache(maxsize=64)
def spread(knots: int, length: int) -> Field:
    """Catmull-Rom weights of each of `length` places (rows) on `knots` lattice points."""
    place = np.clip((np.arange(length) + 0.5) * knots / length - 0.5, 0, knots - 1)
    at = np.minimum(place.astype(int), max(0, knots - 2))
    t = place - at
    weights = (
        0.5 * (2 * t**2 - t - t**3),
        0.5 * (2 - 5 * t**2 + 3 * t**3),
        0.5 * (t + 4 * t**2 - 3 * t**3),
        0.5 * (t**3 - t**2),
    )
    matrix = np.zeros((length, knots), dtype=np.float32)
    rows = np.arange(length)
    for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
        np.add.at(matrix, (rows, np.clip(at + offset, 0, knots - 1)), weight.astype(np.float32))
    return matrix


def lattice(shape: Shape, cell: tuple[float, float], rng: np.random.Generator) -> Field:
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
        if size < 2 and octave:
            break
        total += weight * lattice(shape, (size, size * stretch), rng)
        norm += weight
        weight *= gain
    return total / np.float32(norm)


def curve(length: int, cell: float, rng: np.random.Generator, *, octaves: int = 4) -> Field:
    """Noise along a line, about -1..1."""
    line: Field = fbm((1, length), cell, rng, octaves=octaves)[0]
    return line


def smoothstep(low: float, high: float, value: Field) -> Field:
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    eased: Field = t * t * (3 - 2 * t)
    return eased


def blurred(field: Field, radius: float) -> Field:
    """`field` (two or three axes) averaged over about `radius` pixels, nearly Gaussian."""
    reach = int(radius)
    if reach < 1:
        return field
    coarser = reach // 3
    if coarser > 1 and min(field.shape[:2]) >= 4 * coarser:
        return spread_out(blurred(averaged(field, coarser), radius / coarser), field.shape)
    for axis in (0, 1):
        for _ in range(2):
            field = box(field, reach, axis)
    return field


def averaged(field: Field, size: int) -> Field:
    """Means of squares of `size` pixels; the last ones may be narrower."""
    for axis in (0, 1):
        starts = np.arange(0, field.shape[axis], size)
        sums = np.add.reduceat(field, starts, axis=axis)
        counts = np.diff(np.append(starts, field.shape[axis])).astype(np.float32)
        shape = [1] * field.ndim
        shape[axis] = -1
        field = sums / counts.reshape(shape)
    return field


def spread_out(field: Field, shape: tuple[int, ...]) -> Field:
    if field.ndim == 2:
        return resized(field, (shape[0], shape[1]))
    planes = [resized(field[..., k], (shape[0], shape[1])) for k in range(field.shape[2])]
    return np.stack(planes, axis=2)


def box(field: Field, reach: int, axis: int) -> Field:
    reach = min(reach, field.shape[axis] - 1)
    pad = [(0, 0)] * field.ndim
    pad[axis] = (reach + 1, reach)
    sums = np.cumsum(np.pad(field, pad, mode="edge"), axis=axis, dtype=np.float64)
    size, width = field.shape[axis], 2 * reach + 1
    upper = sums.take(range(width, width + size), axis=axis)
    lower = sums.take(range(size), axis=axis)
    return ((upper - lower) / width).astype(np.float32)
