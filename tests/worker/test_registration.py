"""All workers of one database call one model server; others are refused."""

from __future__ import annotations

import platform
import uuid
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from generation import services
from generation.exceptions import WorkerRefused
from generation.models import Worker
from generation.selectors.worker_liveness import WORKER_SILENCE
from generation.xinference import shared_address

HERE, ELSEWHERE = "http://gpu-1:9997", "http://gpu-2:9997"
MOMENT = timedelta(milliseconds=1)


def start(model_server: str, now: datetime) -> uuid.UUID:
    return services.register_worker(
        host="a", pid=1, version="test", model_server=model_server, now=now
    ).pk


@pytest.mark.usefixtures("db")
def test_a_worker_with_another_address_is_refused_with_what_to_type(now: datetime) -> None:
    first = start(HERE, now)
    with pytest.raises(WorkerRefused) as refused:
        start(ELSEWHERE, now)
    again = start(HERE, now)

    sentence = str(refused.value)
    assert HERE in sentence
    assert ELSEWHERE in sentence
    assert str(first)[:8] in sentence
    assert "XINFERENCE_URL" in sentence
    assert set(Worker.objects.values_list("pk", flat=True)) == {first, again}


@pytest.mark.usefixtures("db")
def test_a_worker_that_finishes_its_last_calls_still_counts(now: datetime) -> None:
    first = start(HERE, now)
    services.heartbeat(worker_id=first, slot_ids=[], draining=True, now=now)

    with pytest.raises(WorkerRefused):
        start(ELSEWHERE, now)


@pytest.mark.usefixtures("db")
def test_once_no_worker_holds_it_the_new_address_counts(now: datetime) -> None:
    stopped, silent = start(HERE, now), start(HERE, now - WORKER_SILENCE - MOMENT)
    services.retire_worker(worker_id=stopped, now=now)
    moved = start(ELSEWHERE, now)

    with pytest.raises(WorkerRefused):
        start(HERE, now)
    assert Worker.objects.filter(model_server=ELSEWHERE).get().pk == moved != silent


@pytest.mark.usefixtures("db")
def test_an_older_worker_without_address_stops_none(now: datetime) -> None:
    start("", now)

    assert start(HERE, now)


@pytest.mark.django_db(transaction=True)
def test_the_command_ends_with_the_sentence_and_no_traceback() -> None:
    start(HERE, timezone.now())

    with override_settings(XINFERENCE_URL=ELSEWHERE), pytest.raises(CommandError) as ended:
        call_command("run_worker")

    assert f"set to {ELSEWHERE}" in str(ended.value)
    assert f"calls {HERE}" in str(ended.value)
    assert ended.value.returncode == 1
    assert Worker.objects.count() == 1


ON_THIS_HOST = f" on {platform.node()}"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://gpu-1:9997", "http://gpu-1:9997"),
        ("http://GPU-1:9997/", "http://gpu-1:9997"),
        ("http://user:secret@gpu-1:9997", "http://gpu-1:9997"),
        ("http://gpu-1:80", "http://gpu-1"),
        ("https://gpu-1:443/path/", "https://gpu-1/path"),
        ("http://[fd00::5]:9997", "http://[fd00::5]:9997"),
        ("http://localhost:9997", f"http://localhost:9997{ON_THIS_HOST}"),
        ("http://127.0.0.1:9997", f"http://localhost:9997{ON_THIS_HOST}"),
        ("http://[::1]:9997", f"http://localhost:9997{ON_THIS_HOST}"),
        ("the embedded demo model", "the embedded demo model"),
    ],
)
def test_one_server_has_one_address_without_credentials(url: str, expected: str) -> None:
    assert shared_address(url) == expected
