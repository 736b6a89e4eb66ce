"""The limits of a user in HTTP headers, as the IETF draft ratelimit-headers has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from generation.choices import LimitKind
from generation.protocol.server_messages import AllowanceData

WINDOWS = {
    LimitKind.PICTURES: 86_400,
    LimitKind.EFFORT: 86_400,
    LimitKind.SUBMISSIONS: 60,
    LimitKind.REQUESTS: 60,
}
"""Seconds; other kinds do not renew with time."""


def rate_limit_headers(limits: Mapping[str, AllowanceData], *, now: float) -> dict[str, str]:
    """`RateLimit-Policy` (q: limit, w: window in seconds) and `RateLimit` (r: left, t: seconds).

    `now`: Unix seconds. Empty without limits.
    """
    if not limits:
        return {}
    policies = [policy_of(kind, each) for kind, each in limits.items()]
    states = [state_of(kind, each, now) for kind, each in limits.items()]
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(states)}


def reached_headers(data: Mapping[str, Any], *, now: float) -> dict[str, str]:
    """The headers of a refusal with the `data` of a reached limit.

    Without `Retry-After` if time alone does not renew it.
    """
    allowance: AllowanceData = {
        "limit": data["limit"],
        "left": data["left"],
        "renews_at": data["renews_at"],
    }
    headers = rate_limit_headers({data["kind"]: allowance}, now=now)
    seconds = seconds_until(data["renews_at"], now)
    return headers if seconds is None else {**headers, "Retry-After": f"{seconds}"}


def policy_of(kind: str, allowance: AllowanceData) -> str:
    window = WINDOWS.get(LimitKind(kind))
    return f'"{kind}";q={allowance["limit"]}' + ("" if window is None else f";w={window}")


def state_of(kind: str, allowance: AllowanceData, now: float) -> str:
    seconds = seconds_until(allowance["renews_at"], now)
    return f'"{kind}";r={allowance["left"]}' + ("" if seconds is None else f";t={seconds}")


def seconds_until(moment: float | None, now: float) -> int | None:
    """Whole seconds, at least 1: a client that waits them finds the limit renewed."""
    return None if moment is None else max(1, math.ceil(moment - now))
