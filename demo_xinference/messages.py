"""Messages between the server and its painting process: a JSON header, then raw bytes."""

from __future__ import annotations

import json
import struct
from typing import Any

PREFIX = struct.Struct(">II")
"""Lengths of the header and of the bytes that follow it."""


def pack(header: dict[str, Any], payload: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return PREFIX.pack(len(text), len(payload)) + text + payload
