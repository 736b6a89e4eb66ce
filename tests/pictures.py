"""Small real pictures."""

from __future__ import annotations

import base64
import io
import struct
import zlib

from PIL import Image

from generation.images import Picture


def jpeg(width: int = 512, height: int = 512, colour: str = "teal") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def png(width: int = 512, height: int = 512) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def png_chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def as_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def picture(width: int = 512, height: int = 512) -> Picture:
    return Picture(data=jpeg(width, height), format="JPEG", width=width, height=height)
