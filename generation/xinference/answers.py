"""What an answer of the model server means: a value, or an error of our tree."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import httpx

from generation.choices import ErrorCode, Route
from generation.exceptions import (
    PictureError,
    XinferenceAborted,
    XinferenceBusy,
    XinferenceDropped,
    XinferenceError,
    XinferenceFailed,
    XinferenceKeyRefused,
    XinferenceRefused,
)

PROXY_GAVE_UP = (502, 504)
"""Xinference itself says neither: something in between lost it, or lost patience."""

LONGEST_DETAIL = 2000
"""Characters of the server's words that are kept; a stack trace in an HTML page has no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole response: status, headers, body."""

    status: int
    headers: httpx.Headers
    body: bytes

    def json(self) -> Any:
        """The parsed body; raises XinferenceFailed if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise XinferenceFailed(f"not JSON: {self.detail()}") from error

    def detail(self) -> str:
        """The server's words: `detail` of a JSON object, else the text itself."""
        text = self.body[: 4 * LONGEST_DETAIL].decode(errors="replace")
        try:
            parsed = json.loads(text)
        except ValueError:
            parsed = None
        if isinstance(parsed, dict) and "detail" in parsed:
            text = str(parsed["detail"])
        # what no database stores as text must not keep an end from being written
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        return text[:LONGEST_DETAIL].encode(errors="replace").decode()


def error_of(answer: Answer) -> XinferenceError:
    """The error that an answer other than 200 means."""
    status, detail = answer.status, answer.detail()
    told = f"{status} {detail}"
    if status == 401 or (status == 429 and "Too many failed attempts" in detail):
        return XinferenceKeyRefused(told)
    if status in (429, 503):
        return busy(answer, told)
    if status == 409 or (status == 500 and "has been aborted" in detail):
        return XinferenceAborted(told)
    if status == 404:
        return XinferenceRefused(told, code=ErrorCode.MODEL_NOT_FOUND)
    if status == 403:
        return XinferenceRefused(told, code=ErrorCode.MODEL_FORBIDDEN)
    if 400 <= status < 500:
        return XinferenceRefused(told)
    if status in PROXY_GAVE_UP:
        return XinferenceDropped(told)
    return XinferenceFailed(told)


def busy(answer: Answer, told: str) -> XinferenceBusy:
    """429 is the model's own limit, 503 a model that still loads (it names the seconds)."""
    code = ErrorCode.MODEL_BUSY if answer.status == 429 else ErrorCode.MODEL_LOADING
    return XinferenceBusy(told, code=code, retry_after=retry_after(answer.headers))


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds of the Retry-After header; None if absent, a date, or nonsense."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < math.inf else None


def picture_of(answer: Answer, route: Route) -> str:
    """The base64 text of the one picture in a 200; raises PictureError if there is none."""
    try:
        parsed = json.loads(answer.body)
        if route == Route.TXT2IMG:
            (text,) = parsed["images"]
        else:
            (item,) = parsed["data"]
            text = item["b64_json"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise PictureError from error
    if not isinstance(text, str) or not text:
        raise PictureError
    return text


def fraction_of(answer: Answer) -> float:
    """`progress` of a 200, within 0..1; raises XinferenceFailed if it is not a number."""
    parsed = answer.json()
    value = parsed.get("progress") if isinstance(parsed, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise XinferenceFailed(f"no progress in {answer.detail()}")
    return min(1.0, max(0.0, float(value)))
