"""A hash of what a picture shows, by which pictures that look the same are found."""

from __future__ import annotations

import io

from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile

HASHED_SIZE = (9, 8)
"""Width and height in which pictures are compared: eight differences in each of eight rows."""


def similarity_of(thumbnail: bytes) -> int | None:
    """A difference hash of a thumbnail, as a signed integer of 64 bits; None if it is flat.

    Each bit says whether a pixel of the grey picture, scaled to 9 × 8, is darker than the next one.
    """
    with WebPImageFile(io.BytesIO(thumbnail)) as image:
        grey = image.convert("L").resize(HASHED_SIZE, Image.Resampling.BOX).tobytes()
    width, height = HASHED_SIZE
    value = 0
    for row in range(0, width * height, width):
        for left in range(row, row + width - 1):
            value = 2 * value + (grey[left] < grey[left + 1])
    # as databases store it
    return value - 2**64 if value >= 2**63 else value or None
