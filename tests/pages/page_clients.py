"""Signed-in clients, and what a page tells its script."""

from __future__ import annotations

import json
import re
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

ADMIN_TASKS = "/admin/generation/generationtask/"


def signed_in(user: User, language: str = "zh-hans") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def state_in(html: str) -> dict[str, Any]:
    found = re.search(
        r'<script id="studio-state" type="application/json">(.*?)</script>', html, re.DOTALL
    )
    assert found is not None
    state: dict[str, Any] = json.loads(found[1])
    return state
