"""Messages of the model server for the log: known phrases only, because they may quote prompts.

Servers quote what they refuse, in any spelling and encoding. The whole message is in the task's
row, for staff.
"""

from __future__ import annotations

import hashlib
import re

STATUS = re.compile(r"((?:[a-z_]+: )?\d{3}) (.+)", re.DOTALL)
"""HTTP status and message."""

QUOTED = re.compile(r"([^()]+) \((.+)\)", re.DOTALL)
"""Our sentence, with the server's message in brackets."""

CLASS = re.compile(r"\w+(?:Error|Timeout|Exception)(?=:|$)")
"""Class of a library's error."""

PHRASES = (
    "cuda out of memory",
    "out of memory",
    "not enough memory",
    "failed to allocate",
    "content policy",
    "invalid prompt",
    "safety checker",
    "divisible by",
    "validation error",
    "model not found",
    "not found in the model list",
    "model is loading",
    "rate limit reached",
    "too many failed attempts",
    "could not validate credentials",
    "not enough permissions",
    "does not have access to model",
    "has been cancelled",
    "has been aborted",
    "duplicate request id",
    "remote server",
    "connect call failed",
    "in stopping state",
    "server disconnected",
    "all connection attempts failed",
    "connection refused",
    "certificate verify failed",
    "name or service not known",
    "internal server error",
    "bad gateway",
    "gateway time-out",
    "service unavailable",
    "<html",
)
"""Phrases of Xinference, its engines, proxies and libraries, without data of a request."""


def redacted(message: str) -> str:
    """`message` with the server's message replaced by its known phrases, length and hash."""
    status = STATUS.fullmatch(message)
    if status is not None:
        return f"{status[1]} {summary(status[2])}"
    quoted = QUOTED.fullmatch(message)
    return message if quoted is None else f"{quoted[1]} ({summary(quoted[2])})"


def summary(text: str) -> str:
    lower = text.lower()
    kind = CLASS.match(text)
    found = [phrase for phrase in PHRASES if phrase in lower]
    known = [each for each in found if not any(each in other for other in found if other != each)]
    digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:6]
    parts = ", ".join([*([kind[0]] if kind else []), *known]) or "words not logged"
    return f"{parts}; {len(text)} characters, #{digest}"
