"""Authentication by key, and the ban after too many wrong keys."""

from __future__ import annotations

import hmac
from time import monotonic

from demo_xinference.errors import Refusal
from demo_xinference.http import Request

MAX_FAILURES = 10
WINDOW = 300.0
BAN = 3600.0


class KeyCheck:
    """Accepts every request if no key is set."""

    def __init__(self, api_key: str) -> None:
        self.api_key = api_key
        self._failures: dict[str, list[float]] = {}
        self._banned: dict[str, float] = {}

    def check(self, request: Request) -> None:
        """Raises Refusal 401, or 429 for an address that failed ten times in five minutes."""
        if not self.api_key:
            return
        now = monotonic()
        if self._banned.get(request.client, now) > now:
            raise Refusal(429, "Too many failed attempts. IP temporarily banned.")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(
            token.encode(), self.api_key.encode()
        ):
            return
        if scheme.lower() == "bearer" and token:
            self._count(request.client, now)
        raise Refusal(
            401,
            "Could not validate credentials",
            headers={"WWW-Authenticate": 'Bearer scope="models:read"'},
        )

    def _count(self, client: str, now: float) -> None:
        recent = [at for at in self._failures.get(client, []) if now - at < WINDOW]
        self._failures[client] = [*recent, now]
        if len(recent) + 1 >= MAX_FAILURES:
            self._banned[client] = now + BAN
