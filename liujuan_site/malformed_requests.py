"""Cleans malformed requests before Django handles them."""

from __future__ import annotations

import re
from typing import Any

NUL_IN_QUERY = re.compile(rb"%00|\x00")
NUL_IN_COOKIE = re.compile(rb"\\000|\x00")
"""A quoted cookie may hold octal escapes."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Django decodes every other invalid byte to it."""


def without_nul(application: Any) -> Any:
    """`application` without NUL in path, query and cookies, which PostgreSQL refuses in text."""

    async def cleaned(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await application(clean(scope), receive, send)

    return cleaned


def clean(scope: dict[str, Any]) -> dict[str, Any]:
    query = NUL_IN_QUERY.sub(b"%EF%BF%BD", scope.get("query_string", b""))
    headers = [
        (name, NUL_IN_COOKIE.sub(b"", value) if name == b"cookie" else value)
        for name, value in scope["headers"]
    ]
    path = scope["path"].replace("\x00", REPLACEMENT)
    return {**scope, "path": path, "query_string": query, "headers": headers}


async def refuse_socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Reject a handshake for a path without a WebSocket; the client gets 403."""
    await send({"type": "websocket.close"})
