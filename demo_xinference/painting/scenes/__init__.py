"""Compositions: each lays one subject on a canvas."""

from __future__ import annotations

import numpy as np

from demo_xinference.painting import nature, palette
from demo_xinference.painting.canvas import Canvas
from demo_xinference.painting.noise import Field
from demo_xinference.painting.reading import Reading
from demo_xinference.painting.scenes import gardens, nights, shores, skies

COMPOSITIONS = {
    "cat": nights.rooftop,
    "city": nights.street,
    "koi": gardens.pond,
    "lotus": gardens.lotus,
    "plum": gardens.branch,
    "bamboo": gardens.grove,
    "umbrella": shores.walker,
    "willow": shores.willow_bank,
    "crane": skies.cranes,
    "sea": skies.sea,
    "pine": skies.pines,
    "landscape": shores.river,
}


def compose(reading: Reading, width: int, height: int) -> Field:
    """The finished composition, height × width × 3 in 0..1, before any brush has touched it."""
    canvas = Canvas(width, height, reading.seed)
    pigments = palette.choose(reading.mood, canvas.rng)
    COMPOSITIONS[reading.subject](canvas, pigments, reading)
    if reading.mood == "rain" or reading.has("rain"):
        nature.rain(canvas, pigments, 0.7)
    if reading.has("snow") and reading.subject != "koi":
        nature.snowfall(canvas, 0.8)
    return np.clip(canvas.pixels, 0, 1)
