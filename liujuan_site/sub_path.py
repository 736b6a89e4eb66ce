"""The site below a path of its host, such as /studio, as PUBLIC_URL names it.

URL patterns, cookies and static files carry that path. The proxy in front may take it away from
requests or leave it: the application sees each request as if it had been left.
"""

from __future__ import annotations

from typing import Any


def mounted_at(base: str, application: Any) -> Any:
    """`application` with every path below `base`; `base` is empty or begins with a slash."""

    async def mounted(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await application({**scope, "path": base + rest(base, scope["path"])}, receive, send)

    return mounted if base else application


def relative_to(base: str, application: Any) -> Any:
    """`application` with every path as if the site were at the root of its host."""

    async def relative(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await application({**scope, "path": rest(base, scope["path"])}, receive, send)

    return relative if base else application


def rest(base: str, path: str) -> str:
    """What follows `base` in `path`, with its slash; `path` itself if it does not begin with it."""
    if path == base:
        return "/"
    return path.removeprefix(base) if path.startswith(f"{base}/") else path
