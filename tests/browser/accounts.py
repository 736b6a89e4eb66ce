"""Accounts with a session, created many at once because each run of manage.py is slow."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.studio import Studio

MAKE = """
import json
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from generation import services

made = []
for number in range({first}, {first} + {count}):
    user = User.objects.create_user(f"person{{number}}")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    made.append([user.username, session.session_key, settings.SESSION_COOKIE_NAME])
print(json.dumps(made))
"""


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    session_key: str
    cookie_name: str


def create_accounts(studio: Studio, *, first: int, count: int) -> list[Account]:
    printed = studio.shell(MAKE.format(first=first, count=count))
    return [Account(*made) for made in json.loads(printed.splitlines()[-1])]
