"""Writes the settings of a picture into its JPEG or PNG file, without touching the pixels."""

from __future__ import annotations

import struct
import zlib

from PIL import Image

from generation.image_format import JPEG_START, PNG_START


def jpeg_with_comment(data: bytes, text: str) -> bytes:
    """`text` as EXIF UserComment in an APP1 segment, after JFIF's APP0 if there is one."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + text.encode("utf-16-be")
    payload = exif.tobytes()
    if not payload.startswith(b"Exif\0\0"):
        payload = b"Exif\0\0" + payload
    segment = b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload
    at = len(JPEG_START)
    if data[at : at + 2] == b"\xff\xe0":
        at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    return data[:at] + segment + data[at:]


def png_with_text(data: bytes, text: str) -> bytes:
    """`text` as an iTXt chunk named "parameters", right after the header chunk."""
    body = b"iTXt" + b"parameters\0\0\0\0\0" + text.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    at = len(PNG_START) + 25
    return data[:at] + chunk + data[at:]
