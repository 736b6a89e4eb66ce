"""The form of our log lines: the name of what happened, then `name=value` pairs.

    task_failed task=85f581d2-… attempt=3 code=model_error worker=76f8eded seconds=12.4

The logging settings import this module, so nothing here may read settings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

MAX_VALUE = 100
"""Characters that are kept of one value."""

MAX_CAUSE = 600

PLAIN = re.compile(r"[\w.@+:/-]+")
"""Values that are written without quotes, names of users among them."""


class LogLine(str):
    """The text of a line that still knows its event and its values."""

    event: str
    values: Mapping[str, object]


def log_line(event: str, **values: object) -> LogLine:
    """`None` is written as `-`; a value with spaces is quoted."""
    pairs = format_pairs(values)
    line = LogLine(f"{event} {pairs}" if pairs else event)
    line.event, line.values = event, values
    return line


def format_pairs(values: Mapping[str, object]) -> str:
    return " ".join(
        f"{name}={format_value(value, longest=longest_of(name))}" for name, value in values.items()
    )


def longest_of(name: str) -> int:
    return MAX_CAUSE if name == "cause" else MAX_VALUE


def format_value(value: object, *, longest: int = MAX_VALUE) -> str:
    """The value on one line: printable characters only, quoted if it is not a plain word."""
    if value is None:
        return "-"
    text = f"{value:.1f}" if isinstance(value, float) else str(value)
    text = text if len(text) <= longest else f"{text[:longest]}…"
    if PLAIN.fullmatch(text) and text.isprintable():
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isprintable() else escaped(each) for each in quoted)


def escaped(character: str) -> str:
    return json.dumps(character)[1:-1]
