"""A webhook that no message is sent to."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User

from generation.models import WebhookEndpoint
from tests.webhooks.hooks import new_hook


@pytest.fixture
def hook(alice: User, allow_loopback: None, now: datetime) -> WebhookEndpoint:
    return new_hook(alice, now)
