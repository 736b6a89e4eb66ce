"""Exceptions that become a response other than 200."""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):
    """`detail` is sent as {"detail": …}, or as plain text if `plain`."""

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
