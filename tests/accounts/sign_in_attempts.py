"""Attempts to sign in, and counts as after many of them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import caches
from django.test import Client

from accounts.throttle import Throttle

HERE = "198.51.100.7"
GOOD = "a good password"


class CountingHasher(MD5PasswordHasher):
    """Quick, and knows how many passwords it was asked to hash."""

    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.hashed += 1
        return super().encode(password, salt)


def try_once(name: str, password: str, address: str = HERE, **headers: str) -> Any:
    return Client(REMOTE_ADDR=address).post(
        "/accounts/sign-in/", {"login": name, "password": password}, headers=headers
    )


def tried(limit: Throttle, subject: str, times: int) -> None:
    """As if so many attempts had been counted, and the pause after them were over."""
    caches["default"].set(limit.key_of(subject), times)


def statuses(count: int, name: str = "alice", **where: str) -> list[int]:
    return [try_once(name, "wrong", **where).status_code for _each in range(count)]


def confirm(client: Client) -> None:
    """Give the password again, as sensitive pages demand."""
    assert client.post("/accounts/reauthenticate/", {"password": GOOD}).status_code == 302
