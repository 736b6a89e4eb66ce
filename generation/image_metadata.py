"""Writes the settings of a picture into its JPEG or PNG file, without touching the pixels."""

from __future__ import annotations

import struct
import zlib

from PIL import Image

from generation.image_format import JPEG_START, PNG_START

PNG_HEADER_ENDS = len(PNG_START) + 25
TEXT_CHUNK = b"iTXtparameters\0"
COMMENT = b"UNICODE\0"
SIZED = struct.Struct(">H")


def jpeg_with_comment(data: bytes, text: str) -> bytes:
    """`text` as EXIF UserComment in an APP1 segment, after JFIF's APP0 if there is one."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = COMMENT + text.encode("utf-16-be")
    payload = exif.tobytes()
    if not payload.startswith(b"Exif\0\0"):
        payload = b"Exif\0\0" + payload
    segment = b"\xff\xe1" + SIZED.pack(len(payload) + 2) + payload
    at = comment_begins(data)
    return data[:at] + segment + data[at:]


def jpeg_without_comment(data: bytes) -> bytes:
    """Without what `jpeg_with_comment` has added."""
    at = comment_begins(data)
    if data[at : at + 2] != b"\xff\xe1":
        return data
    end = segment_ends(data, at)
    is_ours = data[at + 4 : at + 10] == b"Exif\0\0" and COMMENT in data[at:end]
    return data[:at] + data[end:] if is_ours else data


def comment_begins(data: bytes) -> int:
    at = len(JPEG_START)
    return segment_ends(data, at) if data[at : at + 2] == b"\xff\xe0" else at


def segment_ends(data: bytes, at: int) -> int:
    return at + 2 + int(SIZED.unpack_from(data, at + 2)[0])


def png_with_text(data: bytes, text: str) -> bytes:
    """`text` as an iTXt chunk named "parameters", right after the header chunk."""
    body = b"iTXt" + b"parameters\0\0\0\0\0" + text.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:PNG_HEADER_ENDS] + chunk + data[PNG_HEADER_ENDS:]


def png_without_text(data: bytes) -> bytes:
    """Without what `png_with_text` has added."""
    at = PNG_HEADER_ENDS
    if data[at + 4 : at + 4 + len(TEXT_CHUNK)] != TEXT_CHUNK:
        return data
    length = int(struct.unpack_from(">I", data, at)[0])
    return data[:at] + data[at + 12 + length :]
