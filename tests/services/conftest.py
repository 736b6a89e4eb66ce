"""Owners of tasks, and a running task."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User

from generation.models import Worker
from generation.services import Claim
from tests.factories import claim_one, submit


@pytest.fixture
def owners(db: None) -> list[User]:
    return [User.objects.create_user(name) for name in ("alice", "bob", "carol")]


@pytest.fixture
def claim(alice: User, model: str, worker: Worker, now: datetime) -> Claim:
    """The claim of a task that alice submitted."""
    submit(alice, now)
    return claim_one(worker, now)
