"""The id of each request and socket: `X-Request-ID` (docs/operations.md, Logs)."""

from __future__ import annotations

import re
from typing import Any

from accounts.log_context import logging_with, new_correlation_id

PLAIN = re.compile(rb"[A-Za-z0-9-]{1,64}")


def with_request_ids(application: Any) -> Any:
    """`application` whose log lines carry the id of the request or of the socket's handshake.

    A plain id of the client or of a proxy is kept. It only names lines of a log, so no proxy needs
    to be trusted for it.
    """

    async def identified(scope: dict[str, Any], receive: Any, send: Any) -> None:
        with logging_with(request=given_id(scope) or new_correlation_id()):
            await application(scope, receive, send)

    return identified


def given_id(scope: dict[str, Any]) -> str:
    """The id that the request brings, or an empty text if it is missing or not plain."""
    given = [value for name, value in scope["headers"] if name == b"x-request-id"]
    return given[0].decode() if len(given) == 1 and PLAIN.fullmatch(given[0]) else ""
