"""Turns of clients to hash a password, and sign-ins while all of them are taken."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.contrib.auth.models import User

from accounts import sign_in
from accounts.fair_semaphore import FairSemaphore, SemaphoreFull
from tests.accounts.sign_in_attempts import GOOD, HERE, try_once
from tests.studio import wait_until

pytestmark = pytest.mark.django_db


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


TURNS = sign_in.hashing_semaphore


def take_all_turns() -> None:
    for _each in range(sign_in.HASHING_THREADS):
        TURNS.acquire("elsewhere")


def give_turns_back() -> None:
    for _each in range(sign_in.HASHING_THREADS):
        TURNS.release()


def queue_up(client: str) -> None:
    """Wait for a turn, and end it at once."""
    with suppress(SemaphoreFull), TURNS.held_by(client):
        pass


def test_guesses_from_one_address_leave_a_turn_for_others(alice: User) -> None:
    elsewhere = "203.0.113.9"

    def go_on() -> None:
        wait_until(lambda: HERE in TURNS.queues, what="the owner waits")
        give_turns_back()

    take_all_turns()
    with ThreadPoolExecutor(sign_in.MAX_WAITING + 1) as pool:
        for _each in range(sign_in.MAX_WAITING):
            pool.submit(queue_up, elsewhere)
        wait_until(lambda: len(TURNS.queues[elsewhere]) == sign_in.MAX_WAITING, what="they wait")
        pool.submit(go_on)

        assert try_once("alice", GOOD).status_code == 302


def test_a_busy_server_counts_no_attempt(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    take_all_turns()
    with ThreadPoolExecutor(sign_in.MAX_WAITING) as pool:
        # of different clients, so that none of them loses its place
        for number in range(sign_in.MAX_WAITING):
            pool.submit(queue_up, f"client {number}")
        wait_until(lambda: len(TURNS.queues) == sign_in.MAX_WAITING, what="they wait")
        with caplog.at_level(logging.INFO, logger="liujuan.security"):
            answers = [try_once("alice", GOOD) for _each in range(2)]
        give_turns_back()

    assert [answer.status_code for answer in answers] == [503] * 2
    assert answers[0].headers["Retry-After"] == "5"
    assert try_once("alice", GOOD).status_code == 302
    assert "wait=busy" in caplog.text
