"""Messages between a worker and its decoder processes."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

PREFIX = struct.Struct(">II")
"""Length of a message's JSON header, length of the bytes after it."""

TIME_LIMIT = 60.0
"""Wall-clock seconds for one request; a busy machine may delay it."""

CHUNK = 1024 * 1024


def pack(header: dict[str, Any], body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return PREFIX.pack(len(text), len(body)) + text + body


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """The next message; raises EOFError if the other side closed."""
    header, body = PREFIX.unpack(receive_bytes(connection, PREFIX.size))
    return json.loads(receive_bytes(connection, header)), receive_bytes(connection, body)


def receive_bytes(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = connection.recv(min(CHUNK, count - len(data)))
        if not part:
            raise EOFError
        data += part
    return bytes(data)
