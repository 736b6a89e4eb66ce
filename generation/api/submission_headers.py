"""Headers of submissions: key, time limit, wait, and what is left of limits."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta

from django.http import HttpRequest

from generation import selectors, services
from generation.api.token_auth import signed_in_by
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.limits import MAX_CANCEL_AFTER
from generation.models import GenerationTask
from generation.protocol import rate_limit_headers
from generation.sessions import CONTINUES, ConnectionRejected, watching

MAX_WAIT = 60
"""Seconds that a request may wait."""

CANCEL_AFTER = re.compile(r"[0-9]{1,6}")
MAX_KEY = 255
REQUEST_KEYS = uuid.UUID("5f0c7f0c-9a3b-5d0e-8f5e-7d3f1b0a9c11")
"""Namespace of the request keys that stand for idempotency keys."""

WAIT = re.compile(r"(?:^|[,;])\s*wait=(\d{1,6})\s*(?=[,;]|$)", re.IGNORECASE)


def request_key_of(request: HttpRequest) -> str | None:
    """The request key of a task for this `Idempotency-Key`; raises InvalidInput."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY:
        raise InvalidInput(ErrorCode.REQUEST_KEY_INVALID, "Idempotency-Key")
    return str(uuid.uuid5(REQUEST_KEYS, key))


def cancel_after_of(request: HttpRequest, now: datetime) -> datetime | None:
    """When `Cancel-After: n` (seconds) cancels the task; None without it. Raises InvalidInput."""
    text = request.headers.get("Cancel-After")
    if text is None:
        return None
    if CANCEL_AFTER.fullmatch(text) is None or not 0 < int(text) <= MAX_CANCEL_AFTER:
        raise InvalidInput(ErrorCode.CANCEL_AFTER_INVALID, "Cancel-After")
    return now + timedelta(seconds=int(text))


def preferred_wait(request: HttpRequest) -> int:
    """Seconds of `Prefer: wait=n` (RFC 7240), at most MAX_WAIT; 0 without it."""
    found = WAIT.search(request.headers.get("Prefer", ""))
    return min(int(found[1]), MAX_WAIT) if found else 0


def submission_headers(submission: services.Submission) -> dict[str, str]:
    """What a new task left of the limits of its owner."""
    limits = selectors.allowances_data(submission.allowances)
    return rate_limit_headers(limits, now=clock.now().timestamp())


async def wait_for_end(request: HttpRequest, task: GenerationTask, seconds: float) -> bool:
    """Return when the task is over, or after `seconds`; False if it could not wait."""
    if task.is_over:
        return True
    try:
        async with watching(task, signed_in_by(request), after=0) as watch:
            await watch.until_over(within=seconds)
    except ConnectionRejected as rejected:
        if rejected.close_code not in CONTINUES:
            raise
        return False
    return True
