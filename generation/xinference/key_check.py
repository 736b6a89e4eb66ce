"""Finds out whether a 401 concerns the key or only the request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

from generation.error_codes import ErrorCode
from generation.exceptions import XinferenceKeyRefused, XinferenceRefused

T = TypeVar("T")

FORBIDDEN_PAUSE = 180.0
"""Seconds in which a refused request is not repeated: each may count as a bad key, and ten in five
minutes ban this address."""

RESULT_KEPT = 10.0
"""Seconds in which the lists are not requested again, because many calls may be refused at once."""

MAX_PATHS = 500


class KeyCheck:
    """Runs requests; when one refuses the key, checks whether the lists refuse it too.

    A key that the lists accept is valid: then the request was refused for its model or its kind
    and raises XinferenceRefused. XinferenceKeyRefused is raised only if the lists refuse the key.
    """

    def __init__(self, request_lists: Callable[[], Awaitable[object]]) -> None:
        """`request_lists` raises XinferenceKeyRefused, or another XinferenceError."""
        self._request_lists = request_lists
        self._lock = asyncio.Lock()
        self._accepted = True
        self._known_until = 0.0
        self._forbidden: dict[str, tuple[float, str]] = {}

    async def call(
        self, subject: str, call: Callable[[], Awaitable[T]], *, key_accepted: bool = False
    ) -> T:
        """The result of `call`; `key_accepted`: the lists have just accepted the key."""
        until, detail = self._forbidden.get(subject, (0.0, ""))
        if monotonic() < until:
            raise XinferenceRefused(detail, code=ErrorCode.MODEL_FORBIDDEN)
        try:
            return await call()
        except XinferenceKeyRefused as error:
            if not (key_accepted or await self._lists_accept_key()):
                raise
            detail = error.detail
        if len(self._forbidden) > MAX_PATHS:
            self._forbidden.clear()
        self._forbidden[subject] = monotonic() + FORBIDDEN_PAUSE, detail
        raise XinferenceRefused(detail, code=ErrorCode.MODEL_FORBIDDEN)

    async def _lists_accept_key(self) -> bool:
        async with self._lock:
            if monotonic() >= self._known_until:
                try:
                    await self._request_lists()
                    self._accepted = True
                except XinferenceKeyRefused:
                    self._accepted = False
                self._known_until = monotonic() + RESULT_KEPT
            return self._accepted
