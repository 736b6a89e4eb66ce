"""Serves the site below a path of its host, such as /studio, as set by PUBLIC_URL.

URL patterns, cookies and static files contain that path. The proxy in front may strip it from
requests or not: the application always sees it.
"""

from __future__ import annotations

from typing import Any


def mounted_at(base: str, application: Any) -> Any:
    """`application` that sees every path below `base`, which is empty or begins with a slash."""

    async def mounted(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await application({**scope, "path": base + rest(base, scope["path"])}, receive, send)

    return mounted if base else application


def relative_to(base: str, application: Any) -> Any:
    """`application` that sees every path without `base`."""

    async def relative(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await application({**scope, "path": rest(base, scope["path"])}, receive, send)

    return relative if base else application


def rest(base: str, path: str) -> str:
    """`path` without the prefix `base`, or unchanged if it does not have it."""
    if path == base:
        return "/"
    return path.removeprefix(base) if path.startswith(f"{base}/") else path
