"""What webhooks cost those who have none."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generation.models import Worker
from tests.factories import claim_one, complete, submit
from tests.webhooks.hooks import new_hook

pytestmark = pytest.mark.django_db


def test_statements_are_the_same_without_webhooks_and_one_more_with_them(
    alice: User,
    bob: User,
    allow_loopback: None,
    worker: Worker,
    model: str,
    media: None,
    now: datetime,
) -> None:
    new_hook(bob, now)

    def statements_of(owner: User) -> tuple[list[str], list[str]]:
        with CaptureQueriesContext(
            connection,
        ) as submitting:
            submit(owner, now)
        with CaptureQueriesContext(connection) as drawing:
            complete(claim_one(worker, now), now)
        return statements(submitting), statements(drawing)

    submit(alice, now)
    complete(claim_one(worker, now), now)
    without, with_one = statements_of(alice), statements_of(bob)

    assert [each for each in without[0] if "webhook" in each and "EXISTS" not in each] == []
    assert len(with_one[0]) - len(without[0]) == 2
    assert len(without[1]) == len(with_one[1])
    assert not any("webhook" in each for each in without[1])


def statements(captured: Any) -> list[str]:
    return [query["sql"] for query in captured]
