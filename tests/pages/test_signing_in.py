"""Signing in: rate limits, messages, log lines and cost."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client, override_settings

from accounts import sign_in
from accounts.fair_semaphore import FairSemaphore, SemaphoreFull
from accounts.sign_in import ACCOUNT_LIMIT, ADDRESS_LIMIT, SignInThrottled
from accounts.throttle import Throttle, counters
from tests.studio import wait_until

pytestmark = pytest.mark.django_db
HERE = "198.51.100.7"
GOOD = "a good password"


class CountingHasher(MD5PasswordHasher):
    """Quick, and knows how many passwords it was asked to hash."""

    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.hashed += 1
        return super().encode(password, salt)


@pytest.fixture(autouse=True)
def limits(settings: Any) -> Iterator[None]:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
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


def try_once(name: str, password: str, address: str = HERE, **headers: str) -> Any:
    return Client(REMOTE_ADDR=address).post(
        "/accounts/sign-in/", {"username": name, "password": password}, headers=headers
    )


def tried(limit: Throttle, subject: str, times: int) -> None:
    """As if so many attempts had been counted, and the pause after them were over."""
    caches["default"].set(limit.key_of(subject), times)


def statuses(count: int, name: str = "alice", **where: str) -> list[int]:
    return [try_once(name, "wrong", **where).status_code for _each in range(count)]


@pytest.mark.parametrize("name", ["alice", "nobody-has-this-name"])
def test_after_wrong_passwords_an_account_pauses(alice: User, name: str) -> None:
    tried(ACCOUNT_LIMIT, name, 12)
    assert statuses(2, name) == [200, 429]

    before = CountingHasher.hashed
    refused = try_once(name, GOOD, address="203.0.113.9")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 256
    assert CountingHasher.hashed == before


def test_an_unknown_name_is_like_a_wrong_password(alice: User) -> None:
    CountingHasher.hashed = 0
    known = try_once("alice", "wrong", address="203.0.113.1")
    cost, CountingHasher.hashed = CountingHasher.hashed, 0
    unknown = try_once("nobody", "wrong", address="203.0.113.2")

    assert CountingHasher.hashed == cost == 1
    assert known.context["form"].errors == unknown.context["form"].errors
    assert known.status_code == unknown.status_code == 200


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
    at_home.post("/accounts/sign-in/", {"username": "alice", "password": GOOD})
    tried(ACCOUNT_LIMIT, "alice", 12)
    assert statuses(2, address="203.0.113.9") == [200, 429]

    assert at_home.get("/").status_code == 200
    assert try_once("alice", GOOD, address=HERE).status_code == 302
    assert try_once("alice", GOOD, address="203.0.113.10").status_code == 429


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", r"Too many attempts\. Wait \d+ seconds, then try again\."),
        ("zh-hans", r"尝试次数过多。请等待 \d+ 秒后再试。"),
    ],
)
def test_the_page_shows_how_long_to_wait(alice: User, language: str, sentence: str) -> None:
    tried(ACCOUNT_LIMIT, "alice", 12)
    statuses(1)

    answer = Client(REMOTE_ADDR=HERE, headers={"Accept-Language": language}).post(
        "/accounts/sign-in/", {"username": "alice", "password": GOOD}
    )

    assert answer.status_code == 429
    assert re.search(sentence, answer.content.decode())


def test_attempts_are_logged_once(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    forged = "x\nsign_in_ok account=root"
    with caplog.at_level(logging.INFO, logger="liujuan.security"):
        try_once("alice", GOOD)
        tried(ACCOUNT_LIMIT, forged, 12)
        statuses(2, forged)
    records = [record for record in caplog.records if record.name == "liujuan.security"]
    lines = [re.sub(r"wait=\d+$", "wait=…", record.getMessage()) for record in records]

    name = r'"x\nsign_in_ok account=root"'
    assert lines == [
        f"sign_in_ok account=alice address={HERE}",
        f"sign_in_refused account={name} address={HERE}",
        f"sign_in_throttled account={name} address={HERE} wait=…",
    ]
    assert not any("wrong" in line or GOOD in line for line in lines)


def test_the_admin_has_no_door_of_its_own(alice: User) -> None:
    door = Client().get("/admin/login/?next=/admin/auth/user/")
    posted = Client().post("/admin/login/", {"username": "alice", "password": GOOD})
    away = Client().get("/admin/login/?next=https://evil.example/")
    no_staff = Client()
    no_staff.force_login(alice)
    staff = Client()
    staff.force_login(User.objects.create_superuser("carol"))

    assert door.headers["Location"] == "/accounts/sign-in/?next=/admin/auth/user/"
    assert posted.headers["Location"] == "/accounts/sign-in/?next=/admin/"
    assert away.headers["Location"] == "/accounts/sign-in/?next=/admin/"
    assert no_staff.get("/admin/login/").status_code == 403
    assert staff.get("/admin/login/").headers["Location"] == "/admin/"


@pytest.mark.parametrize("url", ["/accounts/sign-out/", "/admin/logout/"])
def test_signing_out_leads_to_the_page_that_clears_drafts(alice: User, url: str) -> None:
    client = Client()
    client.force_login(alice)

    answer = client.post(f"{url}?next=/gallery/")

    assert answer.headers["Location"] == "/accounts/sign-in/?signed-out"
    assert client.get("/").status_code == 302


def test_authenticate_is_throttled_too(alice: User) -> None:
    tried(ACCOUNT_LIMIT, "alice", 12)
    assert authenticate(username="alice", password="wrong") is None

    with pytest.raises(SignInThrottled):
        authenticate(username="alice", password=GOOD)
    assert statuses(1) == [429]


def test_sessions_of_earlier_versions_stay_signed_in(alice: User) -> None:
    client = Client()
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get("/").status_code == 200


def test_only_a_few_passwords_are_hashed_at_once() -> None:
    turns = FairSemaphore(inside=2, waiting=3, patience=0.05)
    inside, done = threading.Barrier(3), threading.Event()

    def hash_slowly() -> None:
        with turns.held_by("a"):
            inside.wait()
            done.wait()

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(hash_slowly) for _each in range(2)]
        inside.wait()
        with pytest.raises(SemaphoreFull), turns.held_by("b"):
            pass
        done.set()
        for each in running:
            each.result()
    assert not turns.queues
    with turns.held_by("a"):
        pass


def test_a_queue_that_is_full_refuses_at_once() -> None:
    turns = FairSemaphore(inside=1, waiting=0, patience=3_600)

    with turns.held_by("a"), pytest.raises(SemaphoreFull), turns.held_by("b"):
        pass


class Crowd:
    """Threads of several clients, of which one turn after the other is given."""

    def __init__(self, pool: ThreadPoolExecutor, *, waiting: int) -> None:
        self.hashing_semaphore = FairSemaphore(inside=1, waiting=waiting, patience=3_600)
        self.hashing_semaphore.acquire("the first one")
        self.pool = pool
        self.served: list[str] = []
        self.refused: list[str] = []
        self.running: list[Future[None]] = []

    def arrive(self, *clients: str) -> None:
        for client in clients:
            self.running.append(self.pool.submit(self.take, client))
            wait_until(self.is_settled, what=f"{client} waits or is refused")

    def is_settled(self) -> bool:
        waiting = sum(map(len, self.hashing_semaphore.queues.values()))
        return waiting + len(self.refused) == len(self.running)

    def take(self, client: str) -> None:
        try:
            with self.hashing_semaphore.held_by(client):
                self.served.append(client)
        except SemaphoreFull:
            self.refused.append(client)

    def go_on(self) -> None:
        self.hashing_semaphore.release()
        for each in self.running:
            each.result()


@pytest.mark.parametrize(
    ("arriving", "waiting", "served", "refused"),
    [
        ("aaaab", 9, "abaaa", ""),
        ("aaabbc", 9, "abcaba", ""),
        ("aaaaaab", 4, "abaa", "aaa"),
        ("aaabbbc", 4, "abcb", "aab"),
        ("abcd", 3, "abc", "d"),
        ("aabbc", 4, "abcb", "a"),
    ],
)
def test_clients_take_turns(arriving: str, waiting: int, served: str, refused: str) -> None:
    with ThreadPoolExecutor(len(arriving)) as pool:
        crowd = Crowd(pool, waiting=waiting)
        crowd.arrive(*arriving)
        crowd.go_on()

    assert "".join(crowd.served) == served
    assert sorted(crowd.refused) == sorted(refused)


def test_guesses_from_one_address_leave_a_turn_for_others(alice: User) -> None:
    turns, elsewhere = sign_in.hashing_semaphore, "203.0.113.9"

    def guess() -> None:
        with suppress(SemaphoreFull), turns.held_by(elsewhere):
            pass

    def go_on() -> None:
        wait_until(lambda: HERE in turns.queues, what="the owner waits")
        for _each in range(sign_in.HASHING_THREADS):
            turns.release()

    for _each in range(sign_in.HASHING_THREADS):
        turns.acquire(elsewhere)
    with ThreadPoolExecutor(sign_in.MAX_WAITING + 1) as pool:
        for _each in range(sign_in.MAX_WAITING):
            pool.submit(guess)
        wait_until(lambda: len(turns.queues[elsewhere]) == sign_in.MAX_WAITING, what="they wait")
        pool.submit(go_on)

        assert try_once("alice", GOOD).status_code == 302


def test_a_busy_server_counts_no_attempt(
    alice: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in.hashing_semaphore, "waiting", 0)
    for _each in range(sign_in.HASHING_THREADS):
        sign_in.hashing_semaphore.acquire("elsewhere")
    with caplog.at_level(logging.INFO, logger="liujuan.security"):
        answers = [try_once("alice", GOOD) for _each in range(2)]
    for _each in range(sign_in.HASHING_THREADS):
        sign_in.hashing_semaphore.release()

    assert [answer.status_code for answer in answers] == [503] * 2
    assert answers[0].headers["Retry-After"] == "5"
    assert try_once("alice", GOOD).status_code == 302
    assert "wait=busy" in caplog.text


PASSWORD_PAGE = "/admin/password_change/"


def change_password(client: Client, old: str, new: str = "another good password") -> Any:
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(PASSWORD_PAGE, form)


@pytest.fixture
def carol(db: None) -> Client:
    """A superuser, signed in."""
    client = Client(REMOTE_ADDR=HERE)
    client.force_login(User.objects.create_superuser("carol", password=GOOD))
    return client


def test_old_password_guesses_are_limited(carol: Client, caplog: pytest.LogCaptureFixture) -> None:
    tried(ACCOUNT_LIMIT, "carol", 12)

    with caplog.at_level(logging.INFO, logger="liujuan.security"):
        wrong, paused = change_password(carol, "wrong"), change_password(carol, GOOD)

    assert (wrong.status_code, paused.status_code) == (200, 429)
    assert int(paused.headers["Retry-After"]) > 0
    assert wrong.context["form"].has_error("old_password", "password_incorrect")
    assert paused.context["form"].has_error("old_password", "throttled")
    assert statuses(1, "carol") == [429]
    lines = [re.sub(r"wait=\d+", "wait=…", each.getMessage()) for each in caplog.records]
    rest = f"account=carol address={HERE} purpose=password_change"
    assert lines[:2] == [f"sign_in_refused {rest}", f"sign_in_throttled {rest} wait=…"]


def test_a_password_can_be_changed_in_the_admin(carol: Client) -> None:
    page = carol.get(PASSWORD_PAGE)
    answer = change_password(carol, GOOD)

    assert b'name="old_password"' in page.content
    assert answer.headers["Location"] == "/admin/password_change/done/"
    assert carol.get(answer.headers["Location"]).status_code == 200
    assert try_once("carol", "another good password").status_code == 302
    assert Client().get(PASSWORD_PAGE).status_code == 302


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
    with override_settings(CACHES=django_settings.CACHES | {"default": away}):
        caches["local"].set(ACCOUNT_LIMIT.key_of("alice"), 12)
        assert [*statuses(2), *statuses(1, "bob")] == [200, 429, 200]

    records = [
        record for record in caplog.records if "in this process alone" in record.getMessage()
    ]
    assert len(records) == 1


def test_addresses_and_accounts_have_different_keys() -> None:
    assert ADDRESS_LIMIT.key_of(HERE) != ACCOUNT_LIMIT.key_of(HERE)
    assert len(ADDRESS_LIMIT.key_of("x" * 100_000)) < 60
