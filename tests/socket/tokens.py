"""Tokens of users, and a foreign origin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from accounts.tokens import create_token

FOREIGN = [
    "Basic c3R1ZGlvOnNlY3JldA==",
    'Digest username="studio", realm="r", nonce="n", uri="/", response="0"',
    "Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa+gJDAi",
    "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl",
    *("Bearer", "Bearer ", "lj-token-without-a-scheme", "\xff\xfe"),
]
"""What stands in Authorization when it is not ours."""


async def token_of(user: User, now: datetime, **options: Any) -> str:
    return await sync_to_async(create_token)(owner=user, name="test", now=now, **options)
