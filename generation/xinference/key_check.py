"""Whether a refusal of the key concerns the key, or only what was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

from generation.choices import ErrorCode
from generation.exceptions import XinferenceKeyRefused, XinferenceRefused

T = TypeVar("T")

FORBIDDEN_PAUSE = 180.0
"""Seconds in which a call is not sent again that was refused: each may count as a bad try, and ten
in five minutes ban our address."""

VERDICT_HOLDS = 10.0
"""Seconds in which the lists are not asked again: calls are refused in numbers."""

MAX_PATHS = 500


class KeyCheck:
    """Lets calls through; of one that refuses the key it asks the lists whether they do too.

    A key that the lists take is good: then the call was refused for its model or its kind, and is
    an XinferenceRefused. XinferenceKeyRefused comes out only if the lists refuse the key.
    """

    def __init__(self, ask_lists: Callable[[], Awaitable[object]]) -> None:
        """`ask_lists` raises XinferenceKeyRefused, or another XinferenceError."""
        self._ask_lists = ask_lists
        self._asking = asyncio.Lock()
        self._taken = True
        self._known_until = 0.0
        self._forbidden: dict[str, tuple[float, str]] = {}

    async def call(
        self, place: str, call: Callable[[], Awaitable[T]], *, lists_took_it: bool = False
    ) -> T:
        """The outcome of `call`; `lists_took_it`: they were asked a moment ago."""
        until, detail = self._forbidden.get(place, (0.0, ""))
        if monotonic() < until:
            raise XinferenceRefused(detail, code=ErrorCode.MODEL_FORBIDDEN)
        try:
            return await call()
        except XinferenceKeyRefused as error:
            if not (lists_took_it or await self._lists_take_it()):
                raise
            detail = error.detail
        if len(self._forbidden) > MAX_PATHS:
            self._forbidden.clear()
        self._forbidden[place] = monotonic() + FORBIDDEN_PAUSE, detail
        raise XinferenceRefused(detail, code=ErrorCode.MODEL_FORBIDDEN)

    async def _lists_take_it(self) -> bool:
        async with self._asking:
            if monotonic() >= self._known_until:
                try:
                    await self._ask_lists()
                    self._taken = True
                except XinferenceKeyRefused:
                    self._taken = False
                self._known_until = monotonic() + VERDICT_HOLDS
            return self._taken
