"""The messages between a worker and the processes that decode pictures for it."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

PREFIX = struct.Struct(">II")
"""Length of a message's JSON header, length of the bytes after it."""

TIME_LIMIT = 60.0
"""Seconds by the clock for one request: on a busy machine it has to wait for a processor."""

CHUNK = 1024 * 1024


def pack(header: dict[str, Any], body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return PREFIX.pack(len(text), len(body)) + text + body


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """The next message; raises EOFError when the other side has gone."""
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
