"""Several model servers: which one a task goes to, and what users see of their models."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from accounts.secret_box import encrypt
from generation import selectors, services
from generation.error_codes import ErrorCode
from generation.exceptions import XinferenceUnreachable
from generation.models import ModelInstance, ModelServer, ModelSlot, ModelState, Worker
from generation.services import Claim
from tests.conftest import MODEL
from tests.factories import claim_one, complete, observed, settle, submit

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def serve(name: str, now: datetime, *, slots: int = 1, **columns: Any) -> ModelServer:
    """A server that serves the model; columns like `weight`, or `paces` of the model there."""
    paces = columns.pop("paces", {})
    server, _created = ModelServer.objects.get_or_create(name=name, defaults={"url": "http://x"})
    ModelServer.objects.filter(pk=server.pk).update(**columns)
    seen = observed(MODEL, slots, paces=paces)
    services.record_models(server_id=server.pk, seen=[seen], now=now)
    server.refresh_from_db()
    return server


def claims(worker: Worker, now: datetime, count: int) -> list[Claim]:
    return services.claim(worker_id=worker.pk, now=now, most=count)


def names(found: list[Claim]) -> list[str]:
    by_key = dict(ModelServer.objects.values_list("pk", "name"))
    return [by_key[each.server_id] for each in found]


def submit_many(owner: User, now: datetime, count: int) -> None:
    for number in range(count):
        submit(owner, now - number * SECOND, size=(512, 512))


def test_users_see_one_model_with_the_slots_of_all_servers(now: datetime) -> None:
    serve("a", now, slots=2)
    serve("b", now, slots=3)

    state = ModelState.objects.get()
    assert (state.ready, state.slots, state.replicas) == (True, 5, 5)
    assert ModelSlot.objects.count() == 5
    services.record_unreachable(
        server_id=ModelServer.objects.get(name="a").pk, code=ErrorCode.MODEL_DOWN, now=now
    )
    state.refresh_from_db()
    assert (state.ready, state.slots, state.error_code) == (True, 3, "")


def test_an_error_is_shown_only_if_no_server_serves_the_model(now: datetime) -> None:
    for name in ("a", "b"):
        server = serve(name, now)
        services.record_unreachable(
            server_id=server.pk, code=ErrorCode.MODEL_DOWN, now=now, detail=f"{name} is away"
        )

    state = ModelState.objects.get()
    assert not state.ready
    assert state.error_detail == "a: a is away; b: b is away"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({}, {}, "a"),
        ({"weight": 1}, {"weight": 2}, "b"),
        ({"paces": {"18": 0.5}}, {"paces": {"18": 0.1}, "weight": 1}, "b"),
        ({"paces": {"18": 0.1}}, {"paces": {"18": 0.5}, "weight": 9}, "a"),
        ({"paces": {"18": 0.1}}, {"paces": {"20": 9.0}}, "b"),
    ],
    ids=["name", "weight", "pace", "pace before weight", "not measured yet"],
)
def test_the_server_that_draws_it_soonest_gets_the_task(
    alice: User,
    worker: Worker,
    now: datetime,
    first: dict[str, Any],
    second: dict[str, Any],
    expected: str,
) -> None:
    serve("a", now, **first)
    serve("b", now, **second)
    submit_many(alice, now, 2)

    found = claims(worker, now, 1)

    assert names(found) == [expected]


def test_a_slow_server_is_used_last(alice: User, worker: Worker, now: datetime) -> None:
    serve("a-slow", now, slots=2, paces={"18": 3.0})
    serve("fast", now, slots=2, paces={"18": 0.1})
    submit_many(alice, now, 4)

    assert names(claims(worker, now, 3)) == ["fast", "fast", "a-slow"]


@pytest.mark.parametrize("column", [{"draining": True}, {"enabled": False}])
def test_a_server_that_an_operator_withdraws_gets_no_calls(
    alice: User, worker: Worker, now: datetime, column: dict[str, bool]
) -> None:
    serve("a", now, **column)
    serve("b", now)
    submit_many(alice, now, 2)

    assert names(claims(worker, now, 2)) == ["b"]
    assert ModelState.objects.get().slots == 1


def test_a_worker_claims_only_for_servers_that_it_can_call(
    alice: User, worker: Worker, now: datetime
) -> None:
    serve("a", now)
    second = serve("b", now)
    submit_many(alice, now, 2)

    found = services.claim(worker_id=worker.pk, now=now, most=2, server_ids=[second.pk])

    assert names(found) == ["b"]


def fail_calls(server: ModelServer, now: datetime, *outcomes: bool, trial: bool = False) -> None:
    for succeeded in outcomes:
        services.record_call(
            server_id=server.pk, model=MODEL, succeeded=succeeded, was_trial=trial, now=now
        )
    server.refresh_from_db()


def test_three_failures_of_five_calls_rest_a_server(
    alice: User, worker: Worker, now: datetime
) -> None:
    bad = serve("a", now)
    serve("b", now)
    fail_calls(bad, now, False, True, False, True)
    assert bad.rested_until is None
    fail_calls(bad, now, False)
    submit_many(alice, now, 2)

    assert bad.rested_until == now + 15 * SECOND
    assert names(claims(worker, now, 2)) == ["b"]
    assert ModelState.objects.get().slots == 1
    assert "rests for 15 s" in selectors.server_states(now)["a"]


def test_one_trial_call_at_a_time_follows_a_rest(
    alice: User, worker: Worker, now: datetime
) -> None:
    bad = serve("a", now, slots=3)
    serve("b", now)
    fail_calls(bad, now, False, False, False)
    submit_many(alice, now, 5)
    later = now + 16 * SECOND

    first = claims(worker, later, 4)
    again = claims(worker, later + 60 * SECOND, 4)

    assert names(first) == ["a", "b"]
    assert [each.is_trial for each in first] == [True, False]
    assert again == []

    fail_calls(bad, later, False, trial=True)
    assert bad.rested_until == later + 30 * SECOND
    settle(first[0], later)
    assert claims(worker, later, 4) == []
    (trial,) = claims(worker, later + 31 * SECOND, 4)
    assert trial.is_trial
    fail_calls(bad, later, True, trial=True)
    assert bad.rested_until is None
    assert names(claims(worker, later + 32 * SECOND, 4)) == ["a", "a"]


def test_a_server_that_refuses_the_model_is_rested_at_once(now: datetime) -> None:
    """It refuses within milliseconds, so it would get every task."""
    bad = serve("a", now)
    serve("b", now)
    record = partial(
        services.record_call, model=MODEL, succeeded=False, was_trial=False, refused=True, now=now
    )

    assert record(server_id=bad.pk)

    bad.refresh_from_db()
    assert bad.rested_until is not None
    other = ModelServer.objects.get(name="b")
    assert not record(server_id=other.pk)


@pytest.mark.parametrize("trouble", ["away", "draining", "resting"])
def test_slots_of_a_server_that_gets_no_calls_shorten_no_wait(
    alice: User, worker: Worker, now: datetime, trouble: str
) -> None:
    bad, good = serve("a", now, slots=2), serve("b", now)
    submit_many(alice, now, 3)
    (claim,) = services.claim(worker_id=worker.pk, now=now, server_ids=[good.pk])
    assert wait(alice, now) == 0
    if trouble == "away":
        services.record_unreachable(server_id=bad.pk, code=ErrorCode.MODEL_DOWN, now=now)
    elif trouble == "resting":
        fail_calls(bad, now, False, False, False)
    else:
        ModelServer.objects.filter(pk=bad.pk).update(draining=True)

    assert wait(alice, now) > 0
    complete(claim, now)
    settle(claim, now)
    assert wait(alice, now) == 0


def wait(owner: User, now: datetime) -> float:
    """Seconds until the first queued task of the owner begins."""
    queued = owner.tasks.filter(status="queued").order_by("created")
    first = str(queued.values_list("pk", flat=True)[0])
    seconds = selectors.queue_positions([first], now=now)[first]["eta_seconds"]
    assert seconds is not None
    return seconds


def test_the_only_server_of_a_model_is_not_rested(now: datetime) -> None:
    only = serve("a", now)

    fail_calls(only, now, *[False] * 9)

    assert only.rested_until is None


def test_a_rested_server_is_tried_at_once_when_the_others_are_gone(
    alice: User, worker: Worker, now: datetime
) -> None:
    bad, other = serve("a", now, slots=2), serve("b", now)
    fail_calls(bad, now, False, False, False)
    services.record_unreachable(server_id=other.pk, code=ErrorCode.MODEL_DOWN, now=now)
    submit_many(alice, now, 3)

    assert names(claims(worker, now, 3)) == ["a"]
    assert ModelState.objects.get().ready


def test_a_refused_key_concerns_its_server_alone(
    alice: User, worker: Worker, now: datetime
) -> None:
    refused = serve("a", now)
    serve("b", now)
    services.refuse_key(server_id=refused.pk, now=now)
    submit_many(alice, now, 2)

    assert names(claims(worker, now, 2)) == ["b"]
    assert ModelState.objects.get().ready
    assert services.key_is_refused(server_id=refused.pk, now=now)


def test_an_abandoned_call_names_the_server_that_has_it(
    alice: User, worker: Worker, now: datetime
) -> None:
    serve("a", now)
    second = serve("b", now, weight=2)
    submit(alice, now)
    claim_one(worker, now)

    (left,) = services.take_over_expired(worker_id=worker.pk, now=now + 60 * SECOND)

    assert left.server_id == second.pk


def test_a_server_with_calls_is_not_deleted(alice: User, worker: Worker, now: datetime) -> None:
    server = serve("a", now)
    submit(alice, now)
    claim = claim_one(worker, now)

    assert not services.delete_server(server_id=server.pk, now=now)
    complete(claim, now)
    assert services.delete_server(server_id=server.pk, now=now)
    assert not ModelInstance.objects.exists()
    assert not ModelState.objects.get(name=MODEL).ready


def test_the_settings_make_rows_and_withdraw_them(now: datetime) -> None:
    with override_settings(
        XINFERENCE_URL="http://user:secret@one:1", XINFERENCE_URLS={"two": ("http://two:2", "xf-2")}
    ):
        services.sync_named_servers(now=now)
        rows = {server.name: server for server in ModelServer.objects.all()}
        assert {name: row.url for name, row in rows.items()} == {
            "default": "http://one:1",
            "two": "http://two:2",
        }
        assert services.connection_of(rows["two"]).api_key == "xf-2"
        assert services.connection_of(rows["default"]).url == "http://user:secret@one:1"
    with override_settings(XINFERENCE_URL="http://one:1"):
        services.sync_named_servers(now=now)
        with pytest.raises(XinferenceUnreachable, match="no server two"):
            services.connection_of(rows["two"])

    assert not ModelServer.objects.get(name="two").enabled
    assert ModelServer.objects.get(name="default").enabled


def test_keys_in_rows_are_encrypted(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ModelServer(name="a", url="http://a:1", encrypted_key=encrypt("xf-secret"))

    assert "xf-secret" not in server.encrypted_key
    assert services.connection_of(server).api_key == "xf-secret"
    server.url = "http://user@a:1/path"
    assert services.connection_of(server).url == "http://user:xf-secret@a:1/path"
    with (
        override_settings(SECRET_KEY="another" * 9, SECRET_KEY_FALLBACKS=[]),
        pytest.raises(XinferenceUnreachable, match="enter it again"),
    ):
        services.connection_of(server)
    server.key_variable = "KEY_OF_A"
    with pytest.raises(XinferenceUnreachable, match="KEY_OF_A"):
        services.connection_of(server)
    monkeypatch.setenv("KEY_OF_A", "xf-other")
    server.url = "http://a:1"
    assert services.connection_of(server).api_key == "xf-other"
