"""Problem documents (RFC 9457): errors for programs, with the codes of the socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, JsonResponse

from generation.error_codes import ErrorCode

TYPE = "urn:liujuan-studio:error:"
"""Prefix of the `type` of a problem; the code follows."""

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER = "5"
"""Seconds to wait after a limit or an outage."""


def problem(
    code: ErrorCode,
    status: int,
    *,
    field: str | None = None,
    limit: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """A problem document; `more`: members of its own."""
    body: dict[str, Any] = {
        "type": f"{TYPE}{code.value}",
        "title": str(code.label),
        "status": status,
        "code": code.value,
    }
    if field is not None:
        body["field"] = field
    if limit is not None:
        body["limit"] = limit
    body |= more or {}
    response = JsonResponse(body, status=status, content_type=CONTENT_TYPE)
    response["Cache-Control"] = "no-store"
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if status in (429, 503) and limit is None:
        response["Retry-After"] = RETRY_AFTER
    for name, value in (headers or {}).items():
        response[name] = value
    return response
