"""Errors to Sentry: what the log has at the level ERROR, without the words of users.

Nothing of Django is instrumented, so that no request, header, cookie, query or user is collected.
Of an exception its class and stack are sent, and of its message the known phrases: messages of
databases and libraries quote what they refuse.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from accounts.log_context import log_values
from generation.loggable_text import summary
from liujuan_site.log_filters import MAX_MESSAGE, SafeFormatter, message_of

EVENT_FIELDS = frozenset(
    {"event_id", "timestamp", "platform", "level", "logger", "release", "environment", "sdk"}
    | {"exception", "server_name"}
)
EXCEPTION_FIELDS = frozenset({"type", "module", "mechanism", "stacktrace"})
FRAME_FIELDS = frozenset(
    {"filename", "abs_path", "function", "module", "lineno", "in_app"}
    | {"pre_context", "context_line", "post_context"}
)


def sentry_handler(dsn: str, release: str, secrets: Iterable[str]) -> logging.Handler:
    """Start the client of Sentry; the handler sends each record that it gets."""
    # otherwise the library adds one that bypasses our formatter when it is imported
    logging.getLogger("sentry_sdk.errors").addHandler(logging.NullHandler())
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.logging import EventHandler

    formatter = SafeFormatter(secrets=secrets)
    sentry_sdk.init(
        dsn=dsn,
        release=release,
        # in the place of send_default_pii=False, which this version calls deprecated
        data_collection={"user_info": False, "http_bodies": [], "stack_frame_variables": False},
        max_breadcrumbs=0,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[AtexitIntegration(callback=say_nothing)],
        before_send=lambda event, hint: scrubbed(event, hint, formatter),
    )
    return EventHandler(level=logging.ERROR)


def say_nothing(pending: int, timeout: float) -> None:
    """The client sends what is queued before the process ends."""


def scrubbed(event: Any, hint: Any, formatter: SafeFormatter) -> Any:
    """The event with nothing but what is known to be free of prompts."""
    kept = {name: value for name, value in event.items() if name in EVENT_FIELDS}
    for exception in kept.get("exception", {}).get("values", ()):
        words = str(exception.get("value", ""))
        for name in exception.keys() - EXCEPTION_FIELDS:
            del exception[name]
        exception["value"] = summary(words)
        for frame in (exception.get("stacktrace") or {}).get("frames", ()):
            for name in frame.keys() - FRAME_FIELDS:
                del frame[name]
    message = message_of(hint["log_record"]) if "log_record" in hint else ""
    kept["logentry"] = {"message": formatter.safe(message, MAX_MESSAGE)}
    kept["tags"] = {name: str(value) for name, value in log_values().items() if value}
    return kept
