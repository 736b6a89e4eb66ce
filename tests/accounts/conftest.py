"""Quick password hashes, full sign-in limits, and an account with a password."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches

from accounts.throttle import counters
from tests.accounts.sign_in_attempts import GOOD, CountingHasher


@pytest.fixture(autouse=True)
def limits(settings: Any) -> Iterator[None]:
    settings.PASSWORD_HASHERS = [f"{CountingHasher.__module__}.CountingHasher"]
    clear()
    yield
    clear()


def clear() -> None:
    counters.away_until, counters.is_away = 0.0, False
    for name in ("default", "local"):
        caches[name].clear()


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password=GOOD)
