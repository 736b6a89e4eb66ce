"""Parses responses of the model server into values or errors."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from generation.error_codes import ErrorCode
from generation.exceptions import (
    PictureError,
    XinferenceAborted,
    XinferenceBusy,
    XinferenceDropped,
    XinferenceError,
    XinferenceFailed,
    XinferenceKeyRefused,
    XinferenceNotBegun,
    XinferenceRefused,
    XinferenceUnreachable,
)
from generation.limits import MAX_ERROR_DETAIL
from generation.xinference.known_errors import known_error
from generation.xinference.operator_messages import (
    PROXY_STATUSES,
    VARIABLES,
    SettingNames,
    reason_of_invalid_json,
    reason_of_missing_picture,
    reason_of_response,
    sentence,
)
from generation.xinference.prompt_redaction import without_prompts

REQUEST_ERRORS = (ErrorCode.PROMPT_REFUSED, ErrorCode.SIZE_REFUSED)
"""Codes for which a retry is useless, whatever the status; engines use 500 for them too."""

NOT_BEGUN = re.compile(r"Connect call failed|in stopping state")
"""What Xinference says of a replica whose process is gone, before and after it notices."""

BASE64 = re.compile(r"[A-Za-z0-9+/=]{60,}")
"""Matches base64 of an image or a part of it, which is no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerResponse:
    """A response as far as it was read; `location` is the target of a redirect."""

    status: int
    body: bytes | bytearray
    retry_after: float | None = None
    location: str = ""

    def json(self) -> Any:
        """The parsed body; raises XinferenceFailed if it is not JSON.

        Bytes that are not UTF-8, numbers of thousands of digits and nesting deeper than the
        interpreter's stack count as invalid too.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise XinferenceFailed(reason_of_invalid_json(self.detail())) from error

    def detail(self) -> str:
        """The server's message on one line: `detail` of a JSON object, else the text itself."""
        text = self.body[: 4 * MAX_ERROR_DETAIL].decode(errors="replace")
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict):
            text = message_in(parsed) or text
        return one_line(text)[:MAX_ERROR_DETAIL]


def message_in(parsed: dict[str, Any]) -> str:
    """The message of a JSON object of Xinference or a proxy; empty if it has none."""
    messages = (parsed.get(name) for name in ("detail", "error", "message"))
    return next((each for each in messages if isinstance(each, str) and each), "")


def one_line(text: str) -> str:
    """`text` without line breaks, control characters and what cannot be stored."""
    printable = "".join(
        each if each.isprintable() else " " if each.isspace() else "\N{REPLACEMENT CHARACTER}"
        for each in text
    )
    return " ".join(printable.split())


def error_of(
    response: ServerResponse,
    *,
    base_url: str = "",
    prompts: Iterable[str] = (),
    names: SettingNames = VARIABLES,
) -> XinferenceError:
    """The error of a status other than 200; it quotes nothing of `prompts`."""
    status, detail = response.status, without_prompts(response.detail(), prompts)
    cause = known_error(status, detail)
    message = reason_of_response(
        status, detail, location=response.location, base_url=base_url, names=names
    )
    if status == 401 or (status == 429 and "Too many failed attempts" in detail):
        return XinferenceKeyRefused(message)
    if status == 407:
        return XinferenceUnreachable(message)
    if status in (429, 503):
        return busy(response, message)
    if status == 409 or (status == 500 and "has been aborted" in detail):
        return XinferenceAborted(message)
    if status == 404:
        return XinferenceRefused(message, code=ErrorCode.MODEL_NOT_FOUND)
    if cause in REQUEST_ERRORS:
        return XinferenceRefused(message, code=cause)
    if status == 403:
        return XinferenceRefused(message, code=ErrorCode.MODEL_FORBIDDEN)
    if 400 <= status < 500:
        return XinferenceRefused(message, code=cause)
    return failure_of(status, detail, message, cause)


def failure_of(status: int, detail: str, message: str, cause: ErrorCode | None) -> XinferenceFailed:
    """The error of a status of 500 or more, by what became of the call."""
    if status == 500 and NOT_BEGUN.search(detail):
        return XinferenceNotBegun(message)
    if status in PROXY_STATUSES:
        return XinferenceDropped(message)
    return XinferenceFailed(message, code=cause)


def missing_picture_error(
    response: ServerResponse, prompts: Iterable[str]
) -> XinferenceError | PictureError:
    """The error of a 200 without an image, with the reason that some servers give there."""
    text = without_prompts(BASE64.sub("…", response.detail()), prompts)
    cause = known_error(response.status, text)
    if cause in REQUEST_ERRORS:
        return XinferenceRefused(f"200 {text}", code=cause)
    if cause is not None:
        return XinferenceFailed(f"200 {text}", code=cause)
    return PictureError(detail=reason_of_missing_picture(text))


def busy(response: ServerResponse, message: str) -> XinferenceBusy:
    """The error of a 429, a limit of the model, or a 503, a model that is still loading."""
    code = ErrorCode.MODEL_BUSY if response.status == 429 else ErrorCode.MODEL_LOADING
    return XinferenceBusy(message, code=code, retry_after=response.retry_after)


def progress_of(response: ServerResponse) -> float:
    """`progress` of a 200, limited to 0..1; raises XinferenceFailed if it is not a number."""
    parsed = response.json()
    value = parsed.get("progress") if isinstance(parsed, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not is_finite(value):
        raise XinferenceFailed(sentence("the answer names no progress", response.detail()))
    return min(1.0, max(0.0, float(value)))


def is_finite(value: float) -> bool:
    """Whether the value is a finite float; JSON also has 1e999 and integers of 400 digits."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def abort_result(response: ServerResponse) -> bool:
    """Whether an abort found a running or queued call; raises XinferenceFailed."""
    parsed = response.json()
    word = parsed.get("msg") if isinstance(parsed, dict) else None
    if not isinstance(word, str):
        raise XinferenceFailed(sentence("the answer names no abort", response.detail()))
    return word == "DONE"
