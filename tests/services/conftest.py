"""Owners of tasks."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User


@pytest.fixture
def owners(db: None) -> list[User]:
    return [User.objects.create_user(name) for name in ("alice", "bob", "carol")]
