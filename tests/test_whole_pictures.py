"""Complete pictures of any encoder are distinguished from truncated ones that decoders fill up."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from generation import image_check
from generation.exceptions import PictureError
from tests.pictures import as_base64
from tests.pictures import png_chunk as chunk

WIDTH, HEIGHT = 203, 150
"""No multiple of a block, nor of an interlaced PNG's pattern."""

PAINTED = Image.effect_mandelbrot((WIDTH, HEIGHT), (-2, -2, 2, 2), 40).convert("RGB")
GREY = np.asarray(PAINTED.convert("L"))

ADAM7 = [
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
    (0, 1, 1, 2),
]  # fmt: skip


def saved(mode: str = "RGB", **how: Any) -> bytes:
    buffer = io.BytesIO()
    PAINTED.convert(mode).save(buffer, how.pop("kind", "JPEG"), **how)
    return buffer.getvalue()


def grey_png(
    rows: bytes, *, interlace: int = 0, colour: int = 0, before: bytes = b"", after: bytes = b""
) -> bytes:
    """A PNG of 8 bits for each pixel; `after` follows the pixels in their own chunk."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, colour, 0, 0, interlace)
    data = zlib.compress(rows) + after
    parts = [chunk(b"IHDR", header), before, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def unfiltered(pixels: Any) -> bytes:
    return b"".join(b"\0" + bytes(row) for row in pixels)


def interlaced() -> bytes:
    return b"".join(unfiltered(GREY[top::down, left::across]) for left, top, across, down in ADAM7)


def with_scan(data: bytes, scan: bytes) -> bytes:
    """A baseline JPEG with other bytes for its scan."""
    at = data.index(b"\xff\xda")
    at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    return data[:at] + scan + b"\xff\xd9"


def scan_of(data: bytes) -> bytes:
    return data[len(with_scan(data, b"")) - 2 : -2]


def refused(data: bytes) -> bool:
    try:
        image_check.decode(as_base64(data), width=WIDTH, height=HEIGHT)
    except PictureError:
        return True
    return False


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "YCbCr"])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"progressive": True},
        {"optimize": True},
        {"restart_marker_blocks": 3},
        {"restart_marker_rows": 1, "progressive": True},
        {"subsampling": 0},
        {"smooth": 50},
    ],
    ids=str,
)
def test_a_jpeg_of_any_quality_is_whole(mode: str, how: dict[str, Any]) -> None:
    files = {quality: saved(mode, quality=quality, **how) for quality in range(1, 101)}

    assert [quality for quality, data in files.items() if refused(data)] == []


@pytest.mark.parametrize("sampling", ["444", "422", "420", "440", "411"])
def test_a_jpeg_of_any_common_sampling_is_whole(sampling: str) -> None:
    data = simplejpeg.encode_jpeg(np.array(PAINTED), 85, "RGB", sampling)

    assert not refused(data)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_a_png_of_any_depth_is_whole(mode: str, level: int) -> None:
    assert not refused(saved(mode, kind="PNG", compress_level=level))


@pytest.mark.parametrize("colours", [2, 4, 16, 200])
def test_a_png_with_a_palette_is_whole(colours: int) -> None:
    buffer = io.BytesIO()
    PAINTED.quantize(colours).save(buffer, "PNG", optimize=True)

    assert not refused(buffer.getvalue())


@pytest.mark.parametrize(
    "data",
    [grey_png(unfiltered(GREY)), grey_png(interlaced(), interlace=1)],
    ids=["rows", "interlaced"],
)
def test_a_png_is_whole_with_all_of_its_rows(data: bytes) -> None:
    assert not refused(data)


FULL = saved(quality=90)
SCAN = scan_of(FULL)
RESTARTS = saved(quality=90, restart_marker_blocks=3)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(FULL[: len(FULL) // 2] + b"\xff\xd9", id="half"),
        pytest.param(FULL[:-60] + b"\xff\xd9", id="all but the last blocks"),
        pytest.param(with_scan(FULL, b""), id="nothing"),
        pytest.param(with_scan(FULL, bytes(len(SCAN) // 4)), id="zeros"),
        pytest.param(with_scan(FULL, SCAN[:500] + SCAN[1500:]), id="a piece missing"),
        pytest.param(with_scan(FULL, SCAN + SCAN), id="too much"),
        pytest.param(with_scan(FULL, b"\xfe\x7f" * (len(SCAN) // 2)), id="no codes"),
        pytest.param(RESTARTS[: len(RESTARTS) // 2] + b"\xff\xd9", id="half of the restarts"),
        pytest.param(saved(progressive=True)[:-80] + b"\xff\xd9", id="half of the last scan"),
        pytest.param(saved("L")[:-300] + b"\xff\xd9", id="grey"),
        pytest.param(saved("CMYK")[:-300] + b"\xff\xd9", id="CMYK"),
    ],
)
def test_a_jpeg_with_a_part_missing_is_refused(data: bytes) -> None:
    assert refused(data)


ROWS, PASSES = unfiltered(GREY), interlaced()
PALETTE = bytes(range(256)) * 3


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(grey_png(ROWS[: len(ROWS) // 2]), id="half of the rows"),
        pytest.param(grey_png(ROWS[:-1]), id="all but one byte"),
        pytest.param(grey_png(b""), id="no rows"),
        pytest.param(grey_png(ROWS + b"\0"), id="too many rows"),
        pytest.param(grey_png(ROWS, after=b"more"), id="bytes after the rows"),
        pytest.param(grey_png(PASSES[:-1], interlace=1), id="interlaced, all but one byte"),
        pytest.param(grey_png(ROWS, interlace=1), id="interlaced, too few"),
        pytest.param(grey_png(ROWS, colour=3), id="no palette"),
        pytest.param(
            grey_png(ROWS, colour=3, before=chunk(b"PLTE", PALETTE[:30])), id="short palette"
        ),
    ],
)
def test_a_png_with_a_part_missing_is_refused(data: bytes) -> None:
    assert refused(data)


def test_a_palette_of_every_colour_is_enough() -> None:
    assert not refused(grey_png(ROWS, colour=3, before=chunk(b"PLTE", PALETTE)))
