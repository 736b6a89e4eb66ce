"""The base64 text of a picture, taken out of an answer of up to 23 MB.

The JSON parser never sees such an answer whole: it holds the interpreter until it is done, and
23 MB of `[],` take it seconds and half a gigabyte. The longest string is cut out first, by
searches that run at the speed of memory, and what is left is short.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from generation.choices import Route
from generation.limits import MAX_QUOTES

PICTURES = {Route.TXT2IMG: "images", Route.GENERATIONS: "data"}
"""Where an answer has its list of pictures."""

MAX_REST = 64 * 1024
"""Bytes of JSON around the picture, and of an answer that is parsed whole."""

STAND_IN = "\N{OBJECT REPLACEMENT CHARACTER}"
"""What stands for the longest string while the rest is parsed."""

QUOTE, BACKSLASH = b'"', 0x5C


def picture_text(body: bytes | bytearray, route: Route) -> str | None:
    """The base64 text of the one picture in `body`; None if there is not exactly one.

    What it returns is a text; whether it is base64 is for the decoder to say.
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
    """Where the longest JSON string begins and ends, without its quotes.

    None if there is none or one does not end; what follows MAX_QUOTES quotes is not searched.
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
    """Where each of the first MAX_QUOTES quotes stands."""
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
    """The string between `start` and `end`; some encoders escape the slashes of base64, of which
    every 64th character is one."""
    text = bytes(body[start:end])
    if 0 < text.count(b"\\") <= len(text) // 16:
        text = text.replace(b"\\/", b"/")
    return text.decode("ascii") if text.isascii() and b"\\" not in text else None
