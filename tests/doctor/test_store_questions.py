"""Questions about the database, Redis, workers and messages, each with what makes it no."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import override_settings

from generation import services
from generation.management.doctor import (
    database_questions,
    delivery_questions,
    redis_questions,
    worker_questions,
)
from generation.models import WebhookCursor, Worker
from liujuan_site import redis_stores
from tests.factories import finished_task
from tests.other_databases import AWAY, database_at
from tests.stores import Redis

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_database_in_order() -> None:
    answers = {each.question: each for each in database_questions.ask_database()}

    assert {each.state for each in answers.values()} <= {"yes", "skipped"}
    assert connection.display_name in next(iter(answers.values())).detail


def test_a_database_that_is_away() -> None:
    with database_at(**AWAY[connection.vendor]):
        (answer,) = database_questions.ask_database()

    assert answer.state == "no"


def test_a_database_that_takes_no_writes() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
            answer = database_questions.does_it_take_writes()
            cursor.execute("RESET default_transaction_read_only")
    else:
        with database_at(NAME=f"file:{connection.settings_dict['NAME']}?mode=ro"):
            answer = database_questions.does_it_take_writes()

    assert (answer.state, answer.detail) == ("no", "read_only")


def test_a_pending_migration() -> None:
    newest = MigrationRecorder.Migration.objects.filter(app="generation").latest("name")
    newest.delete()
    try:
        answer = database_questions.are_migrations_applied()
    finally:
        newest.save(force_insert=True)

    assert (answer.state, answer.hint) == ("no", "manage.py migrate")
    assert f"generation.{newest.name}" in answer.detail


@contextmanager
def own_schema(*statements: str) -> Iterator[None]:
    """A schema of PostgreSQL whose tables and functions are found before all others."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA doctor")
        for statement in statements:
            cursor.execute(statement)
    options = {**connection.settings_dict["OPTIONS"], "options": "-c search_path=doctor,pg_catalog"}
    try:
        with database_at(OPTIONS=options):
            yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA doctor CASCADE")


def test_a_clock_that_is_wrong() -> None:
    if connection.vendor == "sqlite":
        assert database_questions.do_clocks_agree().state == "skipped"
        return
    late = "SELECT pg_catalog.clock_timestamp() - interval '1 hour'"
    with own_schema(
        f"CREATE FUNCTION doctor.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $${late}$$"
    ):
        answer = database_questions.do_clocks_agree()

    assert (answer.state, answer.detail) == ("no", "they differ by 3600.0 s")


def test_a_log_that_is_mostly_dead(tmp_path: Path) -> None:
    if connection.vendor == "sqlite":
        with database_at(NAME=tmp_path / "db.sqlite3"), connection.cursor() as cursor:
            cursor.execute("CREATE TABLE filler (data)")
            cursor.execute(f"INSERT INTO filler VALUES (zeroblob({20 * 1024**2}))")
            before = database_questions.is_log_compact()
            cursor.execute("DROP TABLE filler")
            after = database_questions.is_log_compact()
    else:
        table = "doctor.generation_taskevent"
        with own_schema(
            f"CREATE TABLE {table} (n integer) WITH (autovacuum_enabled = false)",
            f"INSERT INTO {table} SELECT generate_series(1, 20000)",
            "SELECT pg_stat_force_next_flush()",
        ):
            before = database_questions.is_log_compact()
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {table}")
                cursor.execute("SELECT pg_stat_force_next_flush()")
            after = database_questions.is_log_compact()

    assert (before.state, after.state) == ("yes", "no"), (before, after)


def test_a_file_without_a_write_ahead_log(tmp_path: Path) -> None:
    if connection.vendor != "sqlite":
        assert database_questions.is_wal_on().state == "skipped"
        return
    options = {**connection.settings_dict["OPTIONS"], "init_command": "PRAGMA journal_mode=DELETE"}
    with database_at(NAME=tmp_path / "db.sqlite3", OPTIONS=options):
        answer = database_questions.is_wal_on()

    assert (answer.state, answer.detail) == ("no", "journal_mode is delete")


@contextmanager
def at_redis(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings of this process and of those that it starts, as with REDIS_URL."""
    monkeypatch.setenv("REDIS_URL", url)
    monkeypatch.setenv("XINFERENCE_URL", "http://127.0.0.1:1")
    prefix = settings.REDIS_PREFIX
    with override_settings(
        REDIS_URL=url,
        CHANNEL_LAYERS=redis_stores.channel_layers(url, prefix),
        CACHES=redis_stores.caches(url, prefix),
    ):
        yield


def test_redis_connects_two_processes_until_it_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = Redis(tmp_path)
    redis.start()
    try:
        with at_redis(redis.url, monkeypatch):
            running = redis_questions.does_redis_connect_processes()
            redis.stop()
            stopped = redis_questions.does_redis_connect_processes()
    finally:
        redis.stop()

    assert (running.state, stopped.state) == ("yes", "no"), (running.detail, stopped.detail)


def test_one_process_needs_no_redis() -> None:
    with override_settings(REDIS_URL=""):
        assert redis_questions.does_redis_connect_processes().state == "skipped"


def answers_about_workers() -> list[tuple[str, str]]:
    return [
        (each.state, each.detail)
        for each in (question() for question in worker_questions.QUESTIONS)
    ]


def test_workers(worker: Worker, now: datetime) -> None:
    with override_settings(VERSION="test"):
        assert answers_about_workers() == [("yes", "1 run"), ("yes", "test")]
        services.register_worker(host="elsewhere", pid=1, version="0.1", now=now)
        assert answers_about_workers()[1] == ("no", "test here, and 0.1, test there")
        Worker.objects.update(state="paused")
        assert answers_about_workers()[0] == ("no", "all are paused")
        Worker.objects.update(state="running", last_seen=now - timedelta(minutes=1))
        assert answers_about_workers() == [
            ("no", "none has sent a heartbeat for 15 s"),
            ("skipped", "no worker is alive"),
        ]


def test_messages_that_no_worker_sends(alice: User, model: str, media: Path, now: datetime) -> None:
    values = {"url": "https://hooks.example/", "secret": "a secret", "events": ""}
    services.create_webhook(owner=alice, values=values, now=now)
    finished_task(alice, now)
    assert delivery_questions.are_messages_sent().state == "yes"
    WebhookCursor.objects.update(due_at=now - timedelta(minutes=11))

    answer = delivery_questions.are_messages_sent()
    assert (answer.state, answer.detail) == ("no", "1 are due for more than 10 minutes")


def test_names_of_receivers() -> None:
    def asked(*names: str) -> Any:
        with override_settings(WEBHOOK_ALLOW=list(names)):
            return delivery_questions.do_allowed_hosts_resolve()

    assert asked("10.0.0.0/8").state == "skipped"
    assert asked("localhost").state == "yes"
    unknown = asked("localhost", "no-such-host.invalid")
    assert (unknown.state, unknown.detail) == ("no", "no-such-host.invalid: none")
