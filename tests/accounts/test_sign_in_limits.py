"""Limits of sign-ins by account and by address: what counts, and how long the pauses are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as django_settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client, override_settings

from accounts.sign_in import ACCOUNT_LIMIT, ADDRESS_LIMIT, SignInThrottled
from accounts.throttle import Throttle
from tests.accounts.sign_in_attempts import GOOD, HERE, CountingHasher, statuses, tried, try_once
from tests.studio import wait_until

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["alice", "nobody-has-this-name"])
def test_after_wrong_passwords_an_account_pauses(alice: User, name: str) -> None:
    tried(ACCOUNT_LIMIT, name, 12)
    assert statuses(2, name) == [200, 429]

    before = CountingHasher.hashed
    refused = try_once(name, GOOD, address="203.0.113.9")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 256
    assert CountingHasher.hashed == before


def test_guesses_by_name_and_by_address_count_together(alice: User) -> None:
    EmailAddress.objects.create(user=alice, email="alice@studio.example", verified=True)
    tried(ACCOUNT_LIMIT, "alice", 12)

    assert statuses(1, "Alice@Studio.example") == [200]
    assert statuses(1, "alice") == [429]
    assert statuses(1, "alice@studio.example") == [429]


def test_pauses_double_up_to_the_longest() -> None:
    pauses = [ACCOUNT_LIMIT.pause_after(count) for count in (4, 5, 6, 7, 8, 13, 14, 10_000)]

    assert pauses == [0, 1, 2, 4, 8, 256, 300, 300]


def test_after_the_pause_one_more_attempt_is_free_and_success_forgives() -> None:
    limit = Throttle(name="quick", free=2, longest=1, first=0.05, shared=False)
    assert [limit.hit("x") for _each in range(2)] == [0, 0]
    assert 0 < limit.hit("x") <= 0.05
    assert limit.hit("y") == 0

    wait_until(lambda: limit.wait("x") == 0, what="the pause is over")
    assert limit.hit("x") == 0
    assert limit.hit("x") > 0.05
    limit.reset("x")
    assert [limit.hit("x") for _each in range(2)] == [0, 0]


def test_of_many_guesses_at_once_only_the_free_ones_are_looked_at() -> None:
    limit = Throttle(name="at-once", free=5, longest=300, first=300)
    with ThreadPoolExecutor(26) as pool:
        waits = list(pool.map(limit.hit, ["alice"] * 26))

    assert sum(wait == 0 for wait in waits) == 5


def test_an_address_pauses_after_thirty_wrong_passwords_for_any_names(alice: User) -> None:
    tried(ADDRESS_LIMIT, HERE, ADDRESS_LIMIT.free + 5)
    codes = [code for number in range(2) for code in statuses(1, f"name-{number}")]

    assert codes == [200, 429]
    assert try_once("alice", GOOD).status_code == 429
    assert try_once("alice", GOOD, address="203.0.113.9").status_code == 302


def test_a_successful_sign_in_is_not_counted(alice: User) -> None:
    tried(ADDRESS_LIMIT, HERE, ADDRESS_LIMIT.free + 5)
    tried(ACCOUNT_LIMIT, "alice", 12)
    assert [try_once("alice", GOOD).status_code for _each in range(3)] == [302] * 3
    assert statuses(2) == [200, 429]


@pytest.mark.parametrize(("proxies", "codes"), [(0, [200, 429]), (1, [200, 200])])
def test_only_our_proxy_forwards_addresses(settings: Any, proxies: int, codes: list[int]) -> None:
    settings.TRUSTED_PROXIES = proxies

    def code_of(number: int) -> int:
        headers = {"X-Forwarded-For": f"6.6.6.6, 203.0.113.{number}"}
        code: int = try_once(f"name-{number}", "wrong", **headers).status_code
        return code

    tried(ADDRESS_LIMIT, HERE, ADDRESS_LIMIT.free + 5)
    assert [code_of(number) for number in range(2)] == codes


def test_addresses_of_one_ipv6_customer_count_together() -> None:
    tried(ADDRESS_LIMIT, "2001:db8::/64", ADDRESS_LIMIT.free + 5)
    codes = [statuses(1, f"name-{n}", address=f"2001:db8::{n}")[0] for n in range(2)]

    assert codes == [200, 429]


def test_guesses_from_elsewhere_neither_lock_an_owner_out_nor_end_a_session(alice: User) -> None:
    at_home = Client(REMOTE_ADDR=HERE)
    at_home.post("/accounts/sign-in/", {"login": "alice", "password": GOOD})
    tried(ACCOUNT_LIMIT, "alice", 12)
    assert statuses(2, address="203.0.113.9") == [200, 429]

    assert at_home.get("/").status_code == 200
    assert try_once("alice", GOOD, address=HERE).status_code == 302
    assert try_once("alice", GOOD, address="203.0.113.10").status_code == 429


def test_authenticate_is_throttled_too(alice: User) -> None:
    tried(ACCOUNT_LIMIT, "alice", 12)
    assert authenticate(username="alice", password="wrong") is None

    with pytest.raises(SignInThrottled):
        authenticate(username="alice", password=GOOD)
    assert statuses(1) == [429]


def test_a_flood_of_names_is_forgotten_first() -> None:
    local = caches["local"]
    limit = Throttle(name="flood", free=1, longest=300, first=300)
    limit.hit_in(local, limit.key_of("alice"))
    for number in range(25_000):
        local.set(f"n{number}", 1)
        if number % 5_000 == 0:
            assert limit.wait_in(local, limit.key_of("alice")) > 0

    most: Any = django_settings.CACHES["local"]["OPTIONS"]
    assert len(getattr(local, "_cache")) <= most["MAX_ENTRIES"]  # noqa: B009


def test_counts_without_a_shared_cache(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    away = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:1/0",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
    with override_settings(CACHES=django_settings.CACHES | {"shared": away}):
        caches["local"].set(ACCOUNT_LIMIT.key_of("alice"), 12)
        assert [*statuses(2), *statuses(1, "bob")] == [200, 429, 200]

    records = [
        record for record in caplog.records if "in this process alone" in record.getMessage()
    ]
    assert len(records) == 1


def test_addresses_and_accounts_have_different_keys() -> None:
    assert ADDRESS_LIMIT.key_of(HERE) != ACCOUNT_LIMIT.key_of(HERE)
    assert len(ADDRESS_LIMIT.key_of("x" * 100_000)) < 60
