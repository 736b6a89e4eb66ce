"""Reads response bodies of the model server within limits of size and encoding."""

from __future__ import annotations

import asyncio
import math

import httpx

from generation.exceptions import XinferenceUnreadable
from generation.xinference.responses import ServerResponse

MAX_SHORT_BODY = 64 * 1024
"""Bytes of a response other than lists and images; real ones have some hundred."""

MAX_LIST_BODY = 2**18
"""Bytes of a list of models. An entry takes up to 1 KiB and a replica 0.3 KiB, so a server with 100
language models exceeds 64 KiB."""

BYTES_PER_PIXEL = 4
"""Of an 8-bit RGBA image that cannot be compressed."""

METADATA = 64 * 1024
"""Bytes of an image file that are not pixels: profile, EXIF, chunk headers."""

MAX_HEADERS = 100
HEADER_BYTES = 32 * 1024

CHUNKS_PER_TURN = 16
"""Chunks read before other tasks get a turn."""

MAX_CHUNKS = 1_000
MIN_CHUNK = 512
"""Minimum average bytes of a chunk beyond the first MAX_CHUNKS, because each chunk takes 0.1 ms
whatever its size."""

MAX_LOCATION = 500
"""Characters kept of a redirect's target, which is only shown."""

MAX_RETRY_AFTER = 3600.0
"""Seconds that a Retry-After header may request."""


def max_picture_body(width: int, height: int) -> int:
    """The maximum bytes of a response with one lossless image, as base64 in JSON."""
    # a PNG has one byte more per row, and stored blocks of zlib have 5 more per 16 KiB
    pixels = (BYTES_PER_PIXEL * width + 1) * height
    file = pixels + pixels // 1024 + METADATA
    return -(-file // 3) * 4 + MAX_SHORT_BODY


async def read_response(response: httpx.Response, limit: int) -> ServerResponse:
    """The response; raises XinferenceUnreadable if a 200 is larger than `limit` or is encoded.

    Other statuses are used without their body, so it is cut at MAX_SHORT_BODY or skipped.
    """
    good = response.status_code == 200
    problem = header_problem(response, limit if good else None)
    if problem and good:
        raise XinferenceUnreadable(problem)
    body = problem.encode() if problem else await read_body(response, limit, cut=not good)
    return ServerResponse(
        status=response.status_code,
        body=body,
        retry_after=retry_after(response.headers),
        location=response.headers.get("location", "")[:MAX_LOCATION],
    )


def header_problem(response: httpx.Response, limit: int | None) -> str:
    """Why the headers forbid reading the body; empty if they do not."""
    headers = response.headers.raw
    if len(headers) > MAX_HEADERS or sum(len(a) + len(b) for a, b in headers) > HEADER_BYTES:
        return f"an answer with {len(headers)} headers"
    encodings = response.headers.get("content-encoding", "").lower().split(",")
    if any(each.strip() not in ("", "identity") for each in encodings):
        # a few kilobytes can unpack to gigabytes, and the request accepted no encoding
        return "an answer in an encoding that was not asked for"
    length = response.headers.get("content-length", "")
    if limit is not None and length.isdecimal() and (len(length) > 18 or int(length) > limit):
        return f"an answer of more than {limit} bytes"
    return ""


async def read_body(response: httpx.Response, limit: int, *, cut: bool) -> bytearray:
    """The body; beyond `limit` raises XinferenceUnreadable, or cuts it."""
    body, chunks = bytearray(), 0
    limit = min(limit, MAX_SHORT_BODY) if cut else limit
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            if cut:
                return body[:limit]
            raise XinferenceUnreadable(f"an answer of more than {limit} bytes")
        chunks += 1
        if chunks > MAX_CHUNKS + len(body) // MIN_CHUNK:
            if cut:
                return body
            raise XinferenceUnreadable(f"an answer in {chunks} chunks of {len(body)} bytes")
        if chunks % CHUNKS_PER_TURN == 0:
            await asyncio.sleep(0)
    return body


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds of the Retry-After header; None if it is absent, a date or invalid."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, MAX_RETRY_AFTER) if 0 <= seconds < math.inf else None
