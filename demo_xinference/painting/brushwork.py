"""Drawing colour and noise out along the forms, as the hairs of a brush do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from demo_xinference.painting.noise import Field, blurred, fbm

Flow = npt.NDArray[np.float32]
"""Unit vectors (x, y) for each pixel, height × width × 2; a direction and its opposite are one."""

BAND = 24_576
"""Pixels worked on at once: their working set fits a core's second cache."""


def flow_of(picture: Field, unit: float, rng: np.random.Generator) -> Flow:
    """Along the edges where there are any, along a slow swirl where there are none."""
    light: Field = picture @ np.asarray((0.3, 0.59, 0.11), np.float32)
    soft = blurred(light, max(1.0, 0.003 * unit))
    dy: Field = np.gradient(soft, axis=0)
    dx: Field = np.gradient(soft, axis=1)
    reach = max(2.0, 0.006 * unit)
    across = blurred(dx * dx - dy * dy, reach)
    skew = blurred(2 * dx * dy, reach)
    swirl = 0.8 * fbm(light.shape, 0.5 * unit, rng, octaves=2) + 0.15
    # angles are doubled, so that opposite directions add up instead of cancelling out
    weak = np.float32(0.00003)
    angle = 0.5 * np.arctan2(-skew + weak * np.sin(2 * swirl), -across + weak * np.cos(2 * swirl))
    return np.stack([np.cos(angle), np.sin(angle)], axis=2).astype(np.float32)


def drawn_out(field: Field, flow: Flow, length: float, taps: int) -> Field:
    """Each pixel of `field` (height × width × channels) averaged along the flow.

    length: pixels to each side; taps: samples to each side, the measure of the work.
    """
    height, width, channels = field.shape
    source, course = field.reshape(-1, channels), flow.reshape(-1, 2)
    result = np.empty_like(source)
    for start in range(0, height * width, BAND):
        band = np.arange(start, min(start + BAND, height * width))
        result[band[0] : band[-1] + 1] = drawn_band(source, course, band, width, length, taps)
    return result.reshape(field.shape)


def drawn_band(
    source: Field, course: Flow, band: npt.NDArray[np.int64], width: int, length: float, taps: int
) -> Field:
    last_x, last_y = np.float32(width - 1), np.float32(len(source) // width - 1)
    pace = np.float32(length / taps)
    total, weights = source[band].copy(), 1.0
    for side in (1.0, -1.0):
        x = (band % width).astype(np.float32)
        y = (band // width).astype(np.float32)
        heading = course[band] * np.float32(side)
        for tap in range(1, taps + 1):
            x = np.clip(x + pace * heading[:, 0], 0, last_x)
            y = np.clip(y + pace * heading[:, 1], 0, last_y)
            at = np.rint(y).astype(np.int32) * width + np.rint(x).astype(np.int32)
            weight = np.float32(1 - 0.75 * tap / taps)
            total += source.take(at, axis=0) * weight
            here = course.take(at, axis=0)
            turned = here[:, 0] * heading[:, 0] + here[:, 1] * heading[:, 1] < 0
            heading = np.where(turned[:, None], -here, here)
            weights += float(weight) / 2
    return total / np.float32(weights * 2 - 1)
