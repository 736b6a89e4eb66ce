"""One line per security event: what happened, to which account, from which address.

    sign_in_refused account=alice address=192.0.2.7

Nothing that a client sends can end a line, colour a terminal or fill the disk: values are
escaped and cut. Passwords, tokens and session keys are never passed here.
"""

from __future__ import annotations

import json
import logging
import re
from enum import StrEnum, auto

logger = logging.getLogger("liujuan.security")

LONGEST = 100
"""Characters that are written of one value."""

PLAIN = re.compile(r"[\w.@+:/-]+")
"""What stands in the line without quotes; Django's own user names do."""


class SecurityEvent(StrEnum):
    SIGN_IN_OK = auto()
    SIGN_IN_REFUSED = auto()
    SIGN_IN_THROTTLED = auto()
    SIGNED_OUT = auto()
    SESSION_ENDED = auto()
    TOKEN_MADE = auto()
    TOKEN_FIRST_USED = auto()
    TOKEN_REFUSED = auto()
    PERMISSION_REFUSED = auto()


GOOD = {SecurityEvent.SIGN_IN_OK, SecurityEvent.SIGNED_OUT, SecurityEvent.TOKEN_MADE}
GOOD |= {SecurityEvent.TOKEN_FIRST_USED}


def log_event(
    event: SecurityEvent, *, account: str | None, address: str | None, **details: object
) -> None:
    """Write one line; `None` (no account known, the console) is written as `-`."""
    values = {"account": account, "address": address, **details}
    line = " ".join(f"{name}={written(value)}" for name, value in values.items())
    logger.log(logging.INFO if event in GOOD else logging.WARNING, "%s %s", event.value, line)


def written(value: object) -> str:
    """The value on one line: printable characters only, quoted if it is not a plain word."""
    if value is None:
        return "-"
    text = str(value)
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    if PLAIN.fullmatch(text) and text.isprintable():
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isprintable() else escaped(each) for each in quoted)


def escaped(character: str) -> str:
    return json.dumps(character)[1:-1]
