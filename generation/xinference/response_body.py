"""Reads response bodies of the model server within limits of size and encoding."""

from __future__ import annotations

import math

import httpx

from generation.bounded_http import UnusableBody, header_problem, read_body
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
    try:
        if problem:
            body = bytearray(problem.encode())
        elif good:
            body = await read_body(response, limit, cut=False)
        else:
            body = await read_body(response, min(limit, MAX_SHORT_BODY), cut=True)
    except UnusableBody as error:
        raise XinferenceUnreadable(str(error)) from None
    return ServerResponse(
        status=response.status_code,
        body=body,
        retry_after=retry_after(response.headers),
        location=response.headers.get("location", "")[:MAX_LOCATION],
    )


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds of the Retry-After header; None if it is absent, a date or invalid."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, MAX_RETRY_AFTER) if 0 <= seconds < math.inf else None
