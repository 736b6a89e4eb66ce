"""Rows of models that the server names: bounded, and removed again."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from generation import services
from generation.choices import KeyUse
from generation.error_codes import ErrorCode
from generation.models import ModelServer, ModelSlot, ModelState
from generation.selectors.served_models import known_models
from generation.services import model_status
from tests.conftest import MODEL
from tests.factories import claim_one, default_server, observed, record_models, refuse_key, submit

pytestmark = pytest.mark.django_db
OTHER = "another-model"
MINUTE = timedelta(minutes=1)


def see(now: datetime, *names: str, count: int = 1) -> None:
    seen = [observed(name, count) for name in names]
    record_models(*seen, now=now)


def names() -> set[str]:
    return set(ModelState.objects.values_list("name", flat=True))


@pytest.mark.parametrize("count", [40_000, 10**9, 10**30])
def test_no_count_makes_more_slots_than_a_database_can_hold(now: datetime, count: int) -> None:
    see(now, MODEL, count=count)

    assert ModelSlot.objects.count() <= 1_000
    assert ModelState.objects.get().ready
    see(now, MODEL, count=2)
    assert ModelSlot.objects.count() == 2


def test_changing_model_names_are_bounded(now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    model_status.left_out.left = 1  # another test may have met the same
    for look in range(6):
        see(now, MODEL, *(f"a-{look}-{k:03}" for k in range(63)))

    assert len(names()) <= 256
    assert MODEL in names()
    assert ModelState.objects.get(name=MODEL).ready
    assert caplog.text.count("models_left_out") == 1


def test_a_model_that_was_removed_is_forgotten_after_an_hour(now: datetime) -> None:
    see(now, MODEL, OTHER)
    see(now + 59 * MINUTE, MODEL)
    assert names() == {MODEL, OTHER}
    assert not ModelState.objects.get(name=OTHER).ready

    see(now + 61 * MINUTE, MODEL)

    assert names() == {MODEL}
    assert not ModelSlot.objects.filter(model=OTHER).exists()
    assert [*known_models()] == [MODEL]
    see(now + 62 * MINUTE, MODEL, OTHER)
    assert ModelState.objects.get(name=OTHER).ready


def test_a_model_that_an_unfinished_task_names_is_not_forgotten(alice: User, now: datetime) -> None:
    see(now, MODEL, OTHER)
    task = submit(alice, now, model=OTHER)
    worker = services.register_worker(host="h", pid=1, version="t", now=now)

    see(now + 2 * 60 * MINUTE, MODEL)
    assert OTHER in names()

    see(now + 121 * MINUTE, MODEL, OTHER)
    claim_one(worker, now + 121 * MINUTE)
    see(now + 300 * MINUTE, MODEL)
    assert ModelSlot.objects.filter(model=OTHER, task=task.pk).exists()
    assert OTHER in names()


def test_models_of_a_server_that_was_removed_are_forgotten(now: datetime) -> None:
    see(now, MODEL)
    removed = ModelServer.objects.create(name="old", url="http://old:9997")
    services.record_models(server_id=removed.pk, seen=[observed(OTHER, 1)], now=now)
    assert names() == {MODEL, OTHER}

    assert services.delete_server(server_id=removed.pk, now=now)
    see(now, MODEL)

    assert names() == {MODEL}


def test_another_server_forgets_nothing_of_one_that_is_away(now: datetime) -> None:
    away = ModelServer.objects.create(name="away", url="http://away:9997")
    services.record_models(server_id=away.pk, seen=[observed(OTHER, 1)], now=now)
    services.record_unreachable(server_id=away.pk, code=ErrorCode.MODEL_DOWN, now=now)

    see(now + 120 * MINUTE, MODEL)

    assert names() == {MODEL, OTHER}


def test_a_server_with_a_call_is_not_deleted(alice: User, now: datetime) -> None:
    server = ModelServer.objects.create(name="busy", url="http://busy:9997")
    services.record_models(server_id=server.pk, seen=[observed(MODEL, 2)], now=now)
    submit(alice, now)
    claim_one(services.register_worker(host="h", pid=1, version="t", now=now), now)

    assert not services.delete_server(server_id=server.pk, now=now)
    assert ModelSlot.objects.count() == 2


def test_a_worker_without_a_client_speaks_only_for_a_server_that_none_can_ask(
    now: datetime,
) -> None:
    server = ModelServer.objects.create(name="gpu", url="http://gpu:9997")
    services.record_models(server_id=server.pk, seen=[observed(MODEL, 1)], now=now)
    record = partial(
        services.record_unreachable,
        server_id=server.pk,
        code=ErrorCode.MODEL_DOWN,
        unseen_for=services.UNSEEN_AFTER,
    )

    record(now=now + timedelta(seconds=5))
    assert ModelState.objects.get().ready
    record(now=now + timedelta(seconds=16))
    assert not ModelState.objects.get().ready


def test_the_default_model_is_never_forgotten(now: datetime) -> None:
    see(now, MODEL, OTHER)

    see(now + 120 * MINUTE)

    assert names() == {MODEL}


def test_a_server_that_is_away_makes_nothing_forgotten(now: datetime) -> None:
    see(now, MODEL, OTHER)

    refuse_key(now + 120 * MINUTE)

    assert names() == {MODEL, OTHER}


@pytest.mark.parametrize(
    "changed",
    [{"XINFERENCE_URL": "http://other:9997"}, {"XINFERENCE_API_KEY": "xf-2"}],
    ids=["another server", "another key"],
)
def test_a_refusal_is_per_key_and_server(now: datetime, changed: dict[str, str]) -> None:
    with override_settings(XINFERENCE_URL="http://one:9997", XINFERENCE_API_KEY="xf-1"):
        refuse_key(now)
        assert services.key_use(server_id=default_server(now), now=now) == KeyUse.REFUSED
        assert services.key_is_refused(server_id=default_server(now), now=now)
        with override_settings(**changed):
            assert services.key_use(server_id=default_server(now), now=now) == KeyUse.ALLOWED
            assert not services.key_is_refused(server_id=default_server(now), now=now)
        with override_settings(XINFERENCE_URL="http://one:9997/"):
            assert services.key_use(server_id=default_server(now), now=now) == KeyUse.REFUSED


def test_early_tries_of_a_refused_key_are_a_minute_apart(now: datetime) -> None:
    refuse_key(now)
    tries = [
        services.key_use(
            server_id=default_server(now), early=True, now=now + timedelta(seconds=seconds)
        )
        == KeyUse.TRIAL
        for seconds in range(0, 300, 5)
    ]

    assert sum(tries) == 5


def test_a_trial_without_response_is_repeated(now: datetime) -> None:
    refuse_key(now)
    later = now + 15 * MINUTE

    assert services.key_use(server_id=default_server(now), now=later) == KeyUse.TRIAL
    assert services.key_use(server_id=default_server(now), now=later) == KeyUse.REFUSED
    assert services.key_use(server_id=default_server(now), now=later + MINUTE) == KeyUse.TRIAL
    services.accept_key(server_id=default_server(now))
    assert services.key_use(server_id=default_server(now), now=later) == KeyUse.ALLOWED
