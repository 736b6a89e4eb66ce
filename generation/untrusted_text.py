"""The model server's words in the log: known phrases alone, because the rest may be a prompt.

Servers quote what they refuse, in any spelling and encoding. The whole words stand in the task's
row and in the admin, for staff.
"""

from __future__ import annotations

import hashlib
import re

STATUS = re.compile(r"((?:[a-z_]+: )?\d{3}) (.+)", re.DOTALL)
"""A status of HTTP and what came with it."""

QUOTED = re.compile(r"([^()]+) \((.+)\)", re.DOTALL)
"""A sentence of ours, and the words behind it in brackets."""

CLASS = re.compile(r"\w+(?:Error|Timeout|Exception)(?=:|$)")
"""The class of a library's error, which is no word of the server."""

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
"""Of Xinference, its engines, proxies and libraries; none of them holds anything of a request."""


def redacted(told: str) -> str:
    """`told`, with what the server said replaced by the phrases that are known, length and hash."""
    status = STATUS.fullmatch(told)
    if status is not None:
        return f"{status[1]} {summary(status[2])}"
    quoted = QUOTED.fullmatch(told)
    return told if quoted is None else f"{quoted[1]} ({summary(quoted[2])})"


def summary(words: str) -> str:
    lower = words.lower()
    kind = CLASS.match(words)
    found = [phrase for phrase in PHRASES if phrase in lower]
    known = [each for each in found if not any(each in other for other in found if other != each)]
    digest = hashlib.sha256(words.encode(errors="replace")).hexdigest()[:6]
    said = ", ".join([*([kind[0]] if kind else []), *known]) or "words not logged"
    return f"{said}; {len(words)} characters, #{digest}"
