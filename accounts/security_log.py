"""One log line per security event, with account and address.

    sign_in_refused account=alice address=192.0.2.7

Values of clients are escaped and cut, so that they cannot end a line, control a terminal or fill
the disk. Passwords, tokens and session keys are never passed here.
"""

from __future__ import annotations

import logging
from enum import StrEnum, auto

from prometheus_client import Counter

from accounts.log_format import log_line

logger = logging.getLogger("liujuan.security")
host_logger = logging.getLogger("django.security.DisallowedHost")
"""Django's logger: its repeated lines, which scanners cause, are counted, not written."""


EVENTS = Counter(
    "liujuan_security_events", "Events of the security log, such as refused sign-ins", ["event"]
)


class SecurityEvent(StrEnum):
    SIGN_IN_OK = auto()
    SIGN_IN_REFUSED = auto()
    SIGN_IN_THROTTLED = auto()
    PASSWORD_OK = auto()
    PASSWORD_CHANGED = auto()
    PASSWORD_RESET = auto()
    RESET_LINK_MADE = auto()
    SECOND_FACTOR_REFUSED = auto()
    SECOND_FACTOR_ADDED = auto()
    SECOND_FACTOR_REMOVED = auto()
    RECOVERY_CODES_RENEWED = auto()
    EMAIL_CONFIRMED = auto()
    INVITED = auto()
    ACCOUNT_CREATED = auto()
    DATA_EXPORTED = auto()
    DELETION_REQUESTED = auto()
    DELETION_WITHDRAWN = auto()
    ACCOUNT_DELETED = auto()
    SIGNED_OUT = auto()
    SESSION_ENDED = auto()
    TOKEN_MADE = auto()
    TOKEN_FIRST_USED = auto()
    TOKEN_REFUSED = auto()
    TOKEN_REVOKED = auto()
    WEBHOOK_MADE = auto()
    WEBHOOK_CHANGED = auto()
    WEBHOOK_DELETED = auto()
    PERMISSION_REFUSED = auto()


BAD = {
    SecurityEvent.SIGN_IN_REFUSED,
    SecurityEvent.SIGN_IN_THROTTLED,
    SecurityEvent.SECOND_FACTOR_REFUSED,
    SecurityEvent.SESSION_ENDED,
    SecurityEvent.TOKEN_REFUSED,
    SecurityEvent.PERMISSION_REFUSED,
}
"""Written as warnings."""


def log_event(
    event: SecurityEvent, *, account: str | None, address: str | None, **details: object
) -> None:
    """Write one line; `None` (no account known, the console) is written as `-`."""
    EVENTS.labels(event.value).inc()
    line = log_line(event.value, account=account, address=address, **details)
    logger.log(logging.WARNING if event in BAD else logging.INFO, "%s", line)


def log_foreign_host(host: str | None, address: str) -> None:
    """Write one line about a request or handshake whose Host is not in ALLOWED_HOSTS."""
    host_logger.warning("%s", log_line("host_refused", host=host, address=address))
