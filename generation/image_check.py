"""Decodes the model's picture and checks that it is whole.

Decoders fill missing pixels with grey or black, so success of a decoder proves nothing. Only
the decoder processes import this.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib

import simplejpeg
from PIL import Image

from generation.error_codes import ErrorCode
from generation.exceptions import PictureError
from generation.image_format import ImageStructure, png_chunks, read_structure
from generation.images import MAX_BASE64, Picture, opened
from generation.limits import MAX_PIXELS

HEADER = struct.Struct(">IIBBBBB")
"""Width, height, bits of a sample, colour type, compression, filter, interlace."""

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples per pixel, by colour type."""

PASSES = {
    0: [(0, 0, 1, 1)],
    1: [
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
        (0, 1, 1, 2),
    ],
}  # fmt: skip
"""Interlace method → first column and row of each pass, and the distances between them."""

PIECE = 1024 * 1024


def decode(text: str, *, width: int, height: int) -> Picture:
    """The picture in base64 `text`.

    Raises PictureError unless it begins with a whole JPEG or PNG of exactly width × height pixels;
    bytes behind it are dropped. Nothing is decompressed before the size in the header and the
    number of scans, chunks and metadata bytes are checked.
    """
    if len(text) > MAX_BASE64:
        raise PictureError(ErrorCode.PICTURE_TOO_LARGE)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PictureError from error
    if width * height > MAX_PIXELS:
        raise PictureError(ErrorCode.PICTURE_TOO_LARGE)
    found = read_structure(data, (width, height))
    try:
        check_pixels(found)
    except PictureError:
        raise
    except Exception as error:
        # the bytes may be crafted to break the decoder, which can then raise anything
        raise PictureError from error
    return Picture(data=found.data, format=found.format, width=width, height=height)


def check_pixels(found: ImageStructure) -> None:
    """Raise PictureError, or an error of a decoder, unless every pixel is there."""
    with opened(found) as image:
        if found.format == "JPEG":
            check_jpeg(found.data, image.mode)
            image.load()
        else:
            colours = check_png(found.data)
            image.load()
            check_colours(image, colours)


def check_jpeg(data: bytes, mode: str) -> None:
    """Raise ValueError if the decoder had to guess: the data end early or are invalid.

    Pillow ignores these warnings. Decoding at an eighth of the size still reads every code.
    Samplings that no encoder uses by default are refused: the library does not know them.
    """
    colours = "CMYK" if mode == "CMYK" else "RGB"
    simplejpeg.decode_jpeg(data, colours, min_height=1, min_width=1, min_factor=8, strict=True)


def check_png(data: bytes) -> int:
    """Compare the bytes of the pixels with the header; return the palette's colour count."""
    bodies: dict[bytes, list[memoryview]] = {}
    for kind, body in png_chunks(data):
        # a palette after the pixels is ignored
        if kind == b"IDAT" or b"IDAT" not in bodies:
            bodies.setdefault(kind, []).append(body)
    header = HEADER.unpack(bodies[b"IHDR"][0])
    width, height, bits, colour, _compression, _filter, interlace = header
    size = raw_size(width, height, bits * SAMPLES[colour], interlace)
    check_length(bodies.get(b"IDAT", []), size)
    return len(bodies[b"PLTE"][0]) // 3 if b"PLTE" in bodies else 0


def check_colours(image: Image.Image, count: int) -> None:
    """Raise PictureError if a pixel's colour is not in the palette."""
    if image.mode == "P":
        _lowest, highest = image.getextrema()
        if not isinstance(highest, int) or highest >= count:
            raise PictureError(detail="a pixel has a colour that is not in the palette")


def raw_size(width: int, height: int, bits: int, interlace: int) -> int:
    """Bytes of all rows, each with its filter byte; `bits` per pixel."""
    total = 0
    for left, top, across, down in PASSES[interlace]:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def check_length(parts: list[memoryview], expected: int) -> None:
    """Raise PictureError unless `parts` are one zlib stream of `expected` bytes."""
    stream, count = zlib.decompressobj(), 0
    for part in parts:
        rest: bytes | memoryview = part
        while rest and count <= expected and not stream.eof:
            count += len(stream.decompress(rest, PIECE))
            rest = stream.unconsumed_tail
    if count != expected or not stream.eof or stream.unused_data:
        raise PictureError(detail="it has fewer or more pixels than its header says")
