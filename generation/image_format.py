"""The structure of JPEG and PNG files, read without decoding a pixel.

Each function takes time proportional to the bytes, and a bounded number of steps.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from generation.error_codes import ErrorCode
from generation.exceptions import PictureError

JPEG_START = b"\xff\xd8"
PNG_START = b"\x89PNG\r\n\x1a\n"

MAX_SCANS = 32
"""A progressive JPEG has ten; each further scan costs a pass over all pixels."""

MAX_SEGMENTS = 1_000
MAX_CHUNKS = 8_192
"""64 MiB at 8 KiB each, the least that encoders write."""

MAX_METADATA = 1024 * 1024
"""Bytes of EXIF, ICC and text in one file."""

MARKER = re.compile(rb"\xff+([^\x00\xff])")
AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""The next marker that is no restart marker: within a scan 0xFF is followed by 0x00."""

LENGTH = struct.Struct(">H")
FRAME = struct.Struct(">xHHB")
"""Height, width and number of components; three bytes per component follow, its id first."""

CHUNK = struct.Struct(">I4s")
WIDTH_FIRST = struct.Struct(">II")

END, SCAN, COMMENT = 0xD9, 0xDA, 0xFE
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
SHOWN_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended, progressive; browsers show no others."""

COEFFICIENTS = 64
"""Coefficients per block of a JPEG; each is in one scan, or bit by bit in several."""

WITHOUT_LENGTH = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})
METADATA = frozenset({COMMENT, *range(0xE0, 0xF0)})
ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})
ANCILLARY = 0x20
CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
"""Browsers refuse a PNG with any other critical chunk."""

CHUNK_EXTRA = 12
"""Bytes of a chunk without its body: length, kind and checksum."""


@dataclass(frozen=True, slots=True)
class ImageStructure:
    """`data`: the bytes of the first picture in the file."""

    format: str
    width: int
    height: int
    data: bytes


def read_structure(data: bytes, expected: tuple[int, int] | None = None) -> ImageStructure:
    """Format, size and extent of the picture at the start of `data`.

    Raises PictureError, with PICTURE_TOO_LARGE if width and height are not `expected`.
    """
    try:
        if data.startswith(JPEG_START):
            return jpeg_structure(data, expected)
        if data.startswith(PNG_START):
            return png_structure(data, expected)
    except (struct.error, ValueError, IndexError) as error:
        raise PictureError from error
    raise PictureError


def check_size(size: tuple[int, int], expected: tuple[int, int] | None) -> None:
    if expected not in (None, size):
        raise PictureError(ErrorCode.PICTURE_TOO_LARGE)


def jpeg_structure(data: bytes, expected: tuple[int, int] | None) -> ImageStructure:
    at, scans, metadata = len(JPEG_START), 0, 0
    frame: JpegFrame | None = None
    for _segment in range(MAX_SEGMENTS):
        marker = MARKER.match(data, at)
        if marker is None:
            raise PictureError
        code, at = marker.group(1)[0], marker.end()
        if code == END and frame and not frame.missing:
            return ImageStructure("JPEG", *frame.size, data[:at])
        length = segment_length(data, code, at)
        body = data[at + LENGTH.size : at + length]
        at += length
        if code in FRAMES:
            frame = jpeg_frame(code, body, frame)
            check_size(frame.size, expected)
        metadata += length if code in METADATA else 0
        if code == SCAN:
            scans += 1
            note_scan(body, frame)
            at = end_of_scan(data, at)
        if scans > MAX_SCANS or metadata > MAX_METADATA:
            raise PictureError
    raise PictureError


@dataclass(frozen=True, slots=True)
class JpegFrame:
    """`missing`: (component, coefficient) pairs that are not complete yet."""

    size: tuple[int, int]
    missing: set[tuple[int, int]]


def jpeg_frame(code: int, body: bytes, earlier: JpegFrame | None) -> JpegFrame:
    if earlier or code not in SHOWN_FRAMES:
        raise PictureError(detail="two frames, or a frame that browsers do not show")
    height, width, count = FRAME.unpack_from(body)
    ids = body[FRAME.size :: 3][:count]
    return JpegFrame((width, height), {(each, k) for each in ids for k in range(COEFFICIENTS)})


def note_scan(body: bytes, frame: JpegFrame | None) -> None:
    """Remove from `frame.missing` what this scan completes."""
    if frame is None:
        raise PictureError
    count, (first, last, bits) = body[0], body[-3:]
    if bits & 0x0F == 0:
        completed = range(first, min(last + 1, COEFFICIENTS))
        frame.missing.difference_update(
            (each, k) for each in body[1 : 1 + 2 * count : 2] for k in completed
        )


def segment_length(data: bytes, code: int, at: int) -> int:
    """Length of the segment after marker `code`, its length field included."""
    if code == END or code in WITHOUT_LENGTH:
        raise PictureError
    length = int(LENGTH.unpack_from(data, at)[0])
    if length < LENGTH.size or at + length > len(data):
        raise PictureError
    return length


def end_of_scan(data: bytes, at: int) -> int:
    marker = AFTER_SCAN.search(data, at)
    if marker is None:
        raise PictureError
    return marker.start()


def png_structure(data: bytes, expected: tuple[int, int] | None) -> ImageStructure:
    at, metadata = len(PNG_START), 0
    size: tuple[int, int] | None = None
    kept = [PNG_START]
    for _chunk in range(MAX_CHUNKS):
        length, kind = CHUNK.unpack_from(data, at)
        end = at + length + CHUNK_EXTRA
        if end > len(data) or (size is None) != (kind == b"IHDR"):
            raise PictureError
        if size is None:
            size = WIDTH_FIRST.unpack_from(data, at + CHUNK.size)
            check_size(size, expected)
        # of an animation, only the first frame is kept
        if kind not in ANIMATION:
            kept.append(data[at:end])
            metadata += metadata_size(kind, length)
        if metadata > MAX_METADATA:
            raise PictureError
        if kind == b"IEND":
            return ImageStructure("PNG", *size, b"".join(kept))
        at = end
    raise PictureError


def metadata_size(kind: bytes, length: int) -> int:
    if kind in CRITICAL:
        return 0
    if not kind[0] & ANCILLARY:
        raise PictureError(detail="a chunk that browsers do not understand")
    return length


def png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and body of each chunk of a PNG that has been read by `png_structure`."""
    at, view = len(PNG_START), memoryview(data)
    while at < len(data):
        length, kind = CHUNK.unpack_from(data, at)
        yield kind, view[at + CHUNK.size : at + CHUNK.size + length]
        at += length + CHUNK_EXTRA
