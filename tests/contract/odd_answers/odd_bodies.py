"""Bodies that are too large, packed or of the wrong kind."""

from __future__ import annotations

import gzip


def gzipped(times: int) -> bytes:
    body = bytes(4 * 1024 * 1024)
    for _ in range(times):
        body = gzip.compress(body, 1)
    return body


BIG = b"[" + b"[]," * 700_000 + b"0]"
CHUNKED = "Transfer-Encoding: chunked"
ONE_BYTE_CHUNKS = b"1\r\n[\r\n" * 70_000 + b"0\r\n\r\n"


JSON_VALUES = [
    *("null", "true", '""', '"1"', "[]", "{}", "[1]", '{"0": 1}', "NaN", "Infinity", "-Infinity"),
    *("1e999", "-1e999", "1" + 400 * "0", "-1" + 400 * "0"),
]
