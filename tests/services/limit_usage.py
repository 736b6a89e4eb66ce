"""What was used of the limits of users, and submissions that pass one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from generation import selectors
from generation.choices import LimitKind
from generation.exceptions import LimitReached
from generation.models import GenerationTask, LimitUsage
from tests.factories import submit

EFFORT = 512 * 512 * 9
"""Of one picture with the default values."""


def used(owner: User, kind: LimitKind) -> int:
    return sum(LimitUsage.objects.filter(owner=owner, kind=kind).values_list("used", flat=True))


def left(owner: User, kind: LimitKind, now: datetime) -> int | None:
    allowance = selectors.allowances_of([owner.pk], now=now)[owner.pk].get(kind)
    return None if allowance is None else allowance.left


def refused(owner: User, now: datetime, **fields: Any) -> LimitReached:
    before = list(LimitUsage.objects.order_by("pk").values_list("pk", "used"))
    count = GenerationTask.objects.count()
    with pytest.raises(LimitReached) as error:
        submit(owner, now, **fields)
    # nothing was taken from any limit
    assert list(LimitUsage.objects.order_by("pk").values_list("pk", "used")) == before
    assert GenerationTask.objects.count() == count
    return error.value
