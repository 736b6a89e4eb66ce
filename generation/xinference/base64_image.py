"""Extracts the base64 text of an image from a response of up to 23 MB.

The response is not parsed as a whole: the JSON parser blocks the interpreter, and 23 MB of `[],`
take it seconds and 500 MB. The longest string is cut out first, by fast searches, and the short
rest is parsed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from generation.choices import Route
from generation.limits import MAX_QUOTES

PICTURES = {Route.TXT2IMG: "images", Route.GENERATIONS: "data"}
"""The key of the list of images in a response."""

MAX_REST = 64 * 1024
"""Bytes of JSON around the image, and of a response that is parsed as a whole."""

STAND_IN = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Placeholder for the longest string while the rest is parsed."""

QUOTE, BACKSLASH = b'"', 0x5C


def base64_image(body: bytes | bytearray, route: Route) -> str | None:
    """The base64 text of the only image in `body`; None if there is not exactly one.

    The decoder checks whether the text is base64.
    """
    try:
        if len(body) <= MAX_REST:
            return picture_in(json.loads(body), route)
        span = longest_string(body)
        if span is None or len(body) - (span[1] - span[0]) > MAX_REST:
            return None
        rest = bytes(body[: span[0]]) + STAND_IN.encode() + bytes(body[span[1] :])
        text = picture_in(json.loads(rest), route)
    except (ValueError, RecursionError):
        return None
    return string_at(body, *span) if text == STAND_IN else text


def picture_in(parsed: Any, route: Route) -> str | None:
    pictures = parsed.get(PICTURES[route]) if isinstance(parsed, dict) else None
    if not isinstance(pictures, list) or len(pictures) != 1:
        return None
    text = pictures[0]
    if route == Route.GENERATIONS:
        text = text.get("b64_json") if isinstance(text, dict) else None
    return text if isinstance(text, str) and text else None


def longest_string(body: bytes | bytearray) -> tuple[int, int] | None:
    """Start and end of the longest JSON string, without its quotes.

    None if there is none or one is not terminated; searches the first MAX_QUOTES quotes.
    """
    quotes: list[int] = []
    inside = False
    for at in quotes_in(body):
        # an odd number of backslashes makes a quote part of the string
        if inside and backslashes_before(body, at, quotes[-1]) % 2:
            continue
        quotes.append(at)
        inside = not inside
    if inside or not quotes:
        return None
    spans = zip(quotes[::2], quotes[1::2], strict=True)
    start, end = max(spans, key=lambda span: span[1] - span[0])
    return start + 1, end


def quotes_in(body: bytes | bytearray) -> Iterator[int]:
    """The positions of the first MAX_QUOTES quotes."""
    at = -1
    for _ in range(MAX_QUOTES):
        at = body.find(QUOTE, at + 1)
        if at < 0:
            return
        yield at


def backslashes_before(body: bytes | bytearray, at: int, begin: int) -> int:
    first = at
    while first - 1 > max(begin, at - MAX_QUOTES) and body[first - 1] == BACKSLASH:
        first -= 1
    return at - first


def string_at(body: bytes | bytearray, start: int, end: int) -> str | None:
    """The string between `start` and `end`, with escaped slashes replaced.

    Some encoders escape them, and every 64th character of base64 is a slash.
    """
    text = bytes(body[start:end])
    if 0 < text.count(b"\\") <= len(text) // 16:
        text = text.replace(b"\\/", b"/")
    return text.decode("ascii") if text.isascii() and b"\\" not in text else None
