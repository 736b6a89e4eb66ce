"""An answer other than 200, raised from wherever it is decided."""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):
    """`detail` goes out as {"detail": …}, or bare as text/plain if `plain`."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        plain: bool = False,
    ) -> None:
        super().__init__(f"{status} {detail}")
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.plain = plain


class ConnectionDropped(Exception):
    """The connection is to be cut without an answer."""
