"""Health endpoints, and responses while a dependency is down."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings

from generation import outages, readiness, selectors, services
from generation.hub import hub
from generation.models import Worker
from generation.readiness import Health
from generation.slow_check import Check, answer_of
from liujuan_site.health import CHECK_TIMEOUT
from tests.factories import refuse_key
from tests.other_databases import AWAY, database_at
from tests.pages.page_clients import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

PARTS = ("database", "migrations", "static", "storage", "layer", "workers", "models")


@pytest.fixture(autouse=True)
def forget_answers() -> None:
    """No answer that an earlier test was given counts any more."""
    for check in (readiness.database_check, readiness.disk_check):
        check.answered = float("-inf")
    hub.groups.state = "unknown"


def ready(client: Client | None = None) -> tuple[int, dict[str, Any]]:
    response = (client or Client()).get("/readyz")
    return response.status_code, response.json()


def test_everyone_reads_one_word_for_each_part(model: str, worker: Worker) -> None:
    assert Client().get("/healthz").text == "ok"
    status, body = ready()

    assert status == 200
    assert tuple(body) == PARTS
    assert body == dict.fromkeys(PARTS, "ok") | {"layer": "unknown"}


@override_settings(XINFERENCE_URL="http://gpu:9997")
def test_names_and_causes_are_for_staff(
    alice: User, rita: User, model: str, worker: Worker, now: datetime
) -> None:
    refuse_key(now)

    status, public = ready()
    _status, of_alice = ready(signed_in(alice))
    _status, of_rita = ready(signed_in(rita))

    assert status == 200
    assert public == of_alice
    assert (public["workers"], public["models"]) == ("ok", "down")
    assert model not in str(public)
    assert "key" not in public
    assert f"{model}: the model server refused our key" in of_rita["details"]["models"]
    assert "XINFERENCE_API_KEY" in of_rita["details"]["models"]
    assert of_rita["details"]["key"] == "the model server refused it"


def test_without_a_worker_the_model_is_unknown(now: datetime) -> None:
    refuse_key(now)

    status, body = ready()

    assert (status, body["workers"], body["models"]) == (200, "down", "unknown")


@override_settings(XINFERENCE_URL="http://gpu-2:9997")
def test_another_model_server_is_reported(rita: User, model: str, now: datetime) -> None:
    services.register_worker(
        host="a", pid=1, version="test", model_server="http://gpu-1:9997", now=now
    )

    details = ready(signed_in(rita))[1]["details"]

    assert details["model_server"] == (
        "workers call http://gpu-1:9997, and the settings here name http://gpu-2:9997"
    )


def test_storage_that_cannot_be_written_is_named(rita: User, worker: Worker) -> None:
    with override_settings(MEDIA_ROOT="/dev/full/media"):
        status, body = ready(signed_in(rita))

    assert (status, body["storage"], body["database"]) == (200, "down", "ok")
    assert "ENOTDIR" in body["details"]["storage"]


def test_a_probe_leaves_nothing_behind(tmp_path: Path) -> None:
    with override_settings(MEDIA_ROOT=tmp_path / "media"):
        assert ready()[1]["storage"] == "ok"

    assert list((tmp_path / "media").iterdir()) == []


def test_migrations_that_are_pending_are_named(rita: User) -> None:
    client = signed_in(rita)
    applied = MigrationRecorder(connection).migration_qs.filter(app="generation")
    newest = applied.latest("pk")
    applied.filter(pk=newest.pk).delete()
    try:
        status, body = ready(client)
    finally:
        newest.save(force_insert=True)

    assert (status, body["database"], body["migrations"]) == (503, "ok", "pending")


def test_a_read_only_database_takes_no_writes() -> None:
    assert selectors.accepts_writes()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
            writable = selectors.accepts_writes()
            # the pool keeps this session for others
            cursor.execute("RESET default_transaction_read_only")
    else:
        name = connection.settings_dict["NAME"]
        with database_at(NAME=f"file:{name}?mode=ro"):
            writable = selectors.accepts_writes()

    assert not writable
    assert selectors.accepts_writes()


def test_a_held_lock_is_no_read_only_database() -> None:
    locked, done, answers = threading.Event(), threading.Event(), list[str]()

    def ask() -> None:
        locked.wait(10)
        try:
            answers.append(selectors.write_error())
        finally:
            done.set()
            connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    with connection.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE" if connection.vendor == "sqlite" else "BEGIN")
        locked.set()
        done.wait(10)
        cursor.execute("ROLLBACK")
    asking.join(10)

    assert answers == ["locked" if connection.vendor == "sqlite" else ""]
    assert selectors.write_error() == ""


@pytest.mark.parametrize(("language", "words"), [("en", "not available"), ("zh-hans", "无法使用")])
def test_a_page_without_its_database_is_ours_and_comes_back_by_itself(
    alice: User, caplog: pytest.LogCaptureFixture, language: str, words: str
) -> None:
    client = signed_in(alice)
    client.raise_request_exception = False
    outages.database.worked()
    caplog.clear()

    with database_at(**AWAY[connection.vendor]):
        response = client.get("/", headers={"accept": "text/html", "accept-language": language})
        posted = client.post("/accounts/sign-out/", headers={"accept": "text/html"})
        script = client.get("/", headers={"accept": "application/json"})
        lines = [record.getMessage() for record in caplog.records]
    outages.database.worked()

    assert [each.status_code for each in (response, posted, script)] == [503, 503, 503]
    assert words in response.text
    seconds = int(response["Retry-After"])
    assert f'http-equiv="refresh" content="{seconds}"' in response.text
    assert 'http-equiv="refresh"' not in posted.text
    assert script.json()["code"] == "unavailable"
    assert not re.search(r"(src|href)=\"[^\"]*(css|js|svg)", response.text)
    assert "unsafe" not in response["Content-Security-Policy"]
    assert "prefers-color-scheme: dark" in response.text
    assert [line.split()[0] for line in lines] == ["database_down"]


def of_an_older_version(folder: Path) -> None:
    """Collected before the studio had a style sheet of its own."""
    folder.mkdir()
    manifest = json.loads((settings.STATIC_ROOT / "staticfiles.json").read_text())
    manifest["paths"] = {k: v for k, v in manifest["paths"].items() if not k.startswith("studio/")}
    (folder / "staticfiles.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("collected", [lambda folder: None, of_an_older_version])
def test_missing_static_files_are_503(
    rita: User, tmp_path: Path, collected: Callable[[Path], None]
) -> None:
    client = signed_in(rita)
    client.raise_request_exception = False
    collected(tmp_path / "static")
    with override_settings(STATIC_ROOT=tmp_path / "static"):
        status, body = ready(client)
        page = client.get("/", headers={"accept": "text/html"})

    assert (status, body["static"], body["database"]) == (503, "missing", "ok")
    assert "collectstatic" in body["details"]["static"]
    assert page.status_code == 503
    assert "Retry-After" in page


async def test_a_hanging_check_blocks_no_probe() -> None:
    let_go, threads = threading.Event(), list[str]()

    def hang() -> dict[str, Health]:
        threads.append(threading.current_thread().name)
        let_go.wait(30)
        return {"storage": Health("ok")}

    late = {"storage": Health("down", "late")}
    check = Check(hang, lambda: late, lambda _error: {}, kept=60.0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    answers = await asyncio.gather(*(answer_of(check, CHECK_TIMEOUT) for _probe in range(50)))
    took = loop.time() - began
    let_go.set()
    while not (await answer_of(check, CHECK_TIMEOUT))["storage"].ok:
        pass

    assert [each["storage"].word for each in answers] == ["down"] * 50
    assert took < CHECK_TIMEOUT * 10
    assert len(threads) == 1


def test_the_operator_reads_it_all_on_the_console(model: str, worker: Worker) -> None:
    out = StringIO()
    call_command("status", stdout=out)
    readiness.disk_check.answered = float("-inf")
    with override_settings(MEDIA_ROOT="/dev/full/media"), pytest.raises(CommandError) as wrong:
        call_command("status", stdout=out)

    assert f"models: ok ({model})" in out.getvalue()
    assert "storage: down (ENOTDIR" in out.getvalue()
    assert str(wrong.value) == "Not in order: storage"
