"""Client → server messages: shape and types. Services check the values."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.identifiers import parse_hyphenated

SIZE = re.compile(r"([1-9]\d{0,4})[xX*×]([1-9]\d{0,4})", re.ASCII)
NAME = re.compile(r"\w{1,40}", re.ASCII)
"""Unknown field names that a refusal repeats; longer or stranger ones are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate:
    """`None` = not given; the server's default is used."""

    prompt: str
    negative_prompt: str = ""
    model: str | None = None
    size: tuple[int, int] | None = None
    n: int | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int | None = None
    parent: str | None = None
    request_key: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    task_id: str
    after: int = 0
    request_key: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detach:
    task_id: str
    request_key: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    task_id: str
    request_key: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    task_id: str
    request_key: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    cursors: dict[str, int] = field(default_factory=dict)
    request_key: uuid.UUID | None = None


ClientMessage = Generate | Attach | Detach | Cancel | Retry | Ping


def text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidInput(ErrorCode.BAD_MESSAGE, name)
    if "\0" in value or not is_unicode(value):
        # PostgreSQL cannot store NUL, and a lone surrogate cannot be written as UTF-8 at all
        prompt = name in ("prompt", "negative_prompt")
        raise InvalidInput(ErrorCode.PROMPT_INVALID if prompt else ErrorCode.BAD_MESSAGE, name)
    return value


def is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def integer(code: ErrorCode) -> Callable[[str, Any], int]:
    def read(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidInput(code, name)
        return value

    return read


def number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(ErrorCode.GUIDANCE_INVALID, name)
    try:
        read = float(value)
    except OverflowError as error:
        # JSON has integers of any length
        raise InvalidInput(ErrorCode.GUIDANCE_INVALID, name) from error
    if not math.isfinite(read):
        raise InvalidInput(ErrorCode.GUIDANCE_INVALID, name)
    return read


def size(name: str, value: Any) -> tuple[int, int]:
    match = SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidInput(ErrorCode.SIZE_INVALID, name)
    return int(match[1]), int(match[2])


def request_key(name: str, value: Any) -> uuid.UUID:
    key = parse_hyphenated(value) if isinstance(value, str) else None
    if key is None:
        raise InvalidInput(ErrorCode.REQUEST_KEY_INVALID, name)
    return key


def cursor(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise InvalidInput(ErrorCode.BAD_MESSAGE, name)
    return value


def cursors(name: str, value: Any) -> dict[str, int]:
    if not isinstance(value, dict) or len(value) > 1_000:
        raise InvalidInput(ErrorCode.BAD_MESSAGE, name)
    return {key: cursor(name, seq) for key, seq in value.items()}


Reader = Callable[[str, Any], Any]
ABOUT_A_TASK: dict[str, Reader] = {"task_id": text, "request_key": request_key}
ACTIONS: dict[str, tuple[type[Any], dict[str, Reader], frozenset[str]]] = {
    "generate": (
        Generate,
        {
            "prompt": text,
            "negative_prompt": text,
            "model": text,
            "size": size,
            "n": integer(ErrorCode.COUNT_INVALID),
            "steps": integer(ErrorCode.STEPS_INVALID),
            "guidance": number,
            "seed": integer(ErrorCode.SEED_INVALID),
            "parent": text,
            "request_key": request_key,
        },
        frozenset({"prompt"}),
    ),
    "attach": (Attach, {**ABOUT_A_TASK, "after": cursor}, frozenset({"task_id"})),
    "detach": (Detach, ABOUT_A_TASK, frozenset({"task_id"})),
    "cancel": (Cancel, ABOUT_A_TASK, frozenset({"task_id"})),
    "retry": (Retry, ABOUT_A_TASK, frozenset({"task_id"})),
    "ping": (Ping, {"cursors": cursors, "request_key": request_key}, frozenset()),
}


def parse_client_message(raw: str) -> ClientMessage:
    """The message in `raw`; raises InvalidInput(code, field) on anything else.

    A field given as null counts as not given.
    """
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(ErrorCode.NOT_JSON) from error
    if not isinstance(message, dict):
        raise InvalidInput(ErrorCode.BAD_MESSAGE)
    try:
        return read_fields(message)
    except InvalidInput as error:
        error.request_key = readable_key(message)
        raise


def parse_cursors(raw: str) -> dict[str, int]:
    """Task id → seq, from JSON; empty for an empty text. Raises InvalidInput."""
    if not raw:
        return {}
    try:
        decoded = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(ErrorCode.NOT_JSON) from error
    return cursors("cursors", decoded)


def parse_since(raw: str) -> datetime | None:
    """The time, from Unix seconds; None for an empty text. Raises InvalidInput."""
    if not raw:
        return None
    try:
        return datetime.fromtimestamp(max(0.0, float(raw)), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "since") from error


def readable_key(message: dict[str, Any]) -> str | None:
    """The request_key of a refused message, by which its sender recognises it."""
    key = message.get("request_key")
    return key if isinstance(key, str) and parse_hyphenated(key) else None


def read_fields(message: dict[str, Any]) -> ClientMessage:
    action = message.get("action")
    if not isinstance(action, str) or action not in ACTIONS:
        raise InvalidInput(ErrorCode.UNKNOWN_ACTION, "action")
    kind, readers, required = ACTIONS[action]
    values: dict[str, Any] = {}
    for name, value in message.items():
        if name == "action":
            continue
        if name not in readers:
            raise InvalidInput(ErrorCode.UNKNOWN_FIELD, name if NAME.fullmatch(name) else None)
        if value is not None:
            values[name] = readers[name](name, value)
    for name in sorted(required - values.keys()):
        raise InvalidInput(ErrorCode.BAD_MESSAGE, name)
    parsed: ClientMessage = kind(**values)
    return parsed
