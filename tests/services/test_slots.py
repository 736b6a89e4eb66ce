"""Slots limit concurrent calls per model over all workers."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from generation import selectors, services
from generation.choices import InterruptReason
from generation.error_codes import ErrorCode
from generation.models import ModelSlot, ModelState, Worker
from generation.services import Claim
from tests.conftest import MODEL
from tests.factories import (
    claim_one,
    complete,
    default_server,
    interrupt,
    observed,
    record_models,
    refuse_key,
    settle,
    submit,
)

pytestmark = pytest.mark.django_db
OTHER = "another-model"


def serve(now: datetime, **slots: int) -> None:
    """Both models, each with so many slots; 0: not ready."""
    names = {"first": MODEL, "second": OTHER}
    seen = [observed(names[each], count, ready=count > 0) for each, count in slots.items()]
    record_models(*seen, now=now)


@pytest.fixture
def workers(db: None, now: datetime) -> list[Worker]:
    return [services.register_worker(host="h", pid=k, version="t", now=now) for k in range(2)]


def claim_all(workers: list[Worker], now: datetime) -> list[Claim]:
    """What the workers get, taking turns until there is nothing left."""
    claims: list[Claim] = []
    while found := services.claim(worker_id=workers[len(claims) % 2].pk, now=now):
        claims += found
    return claims


def test_each_model_has_its_own_slots(alice: User, workers: list[Worker], now: datetime) -> None:
    serve(now, first=2, second=3)
    for _each in range(5):
        submit(alice, now)
        submit(alice, now, model=OTHER)

    claims = claim_all(workers, now)

    models = [claim.task.model for claim in claims]
    assert (models.count(MODEL), models.count(OTHER)) == (2, 3)
    for claim in claims:
        assert ModelSlot.objects.get(pk=claim.slot_id).model == claim.task.model


def test_queues_are_separate(alice: User, bob: User, workers: list[Worker], now: datetime) -> None:
    serve(now, first=1, second=1)
    for _each in range(5):
        submit(alice, now)
    other = submit(bob, now, model=OTHER)

    assert other.pk in [claim.task.pk for claim in claim_all(workers, now)]


def test_an_unready_model_blocks_itself(alice: User, workers: list[Worker], now: datetime) -> None:
    serve(now, first=1, second=1)
    submit(alice, now)
    other = submit(alice, now, model=OTHER)
    serve(now, first=0, second=1)

    assert [claim.task.pk for claim in claim_all(workers, now)] == [other.pk]


def test_surplus_slots_are_not_reused(alice: User, workers: list[Worker], now: datetime) -> None:
    """The next poll of the models is seconds away; a claim follows a free slot at once."""
    serve(now, first=2)
    for _each in range(4):
        submit(alice, now)
    claims = claim_all(workers, now)

    serve(now, first=1)
    settle(claims[1], now)

    assert not claim_all(workers, now)
    settle(claims[0], now)
    assert len(claim_all(workers, now)) == 1


def test_more_replicas_add_slots(alice: User, workers: list[Worker], now: datetime) -> None:
    serve(now, first=1)
    for _each in range(5):
        submit(alice, now)
    held = claim_all(workers, now)

    serve(now, first=3)

    assert len(held) == 1
    assert len(claim_all(workers, now)) == 2


def test_a_new_replica_uses_a_held_slot(alice: User, workers: list[Worker], now: datetime) -> None:
    serve(now, first=2)
    for _each in range(3):
        submit(alice, now)
    claims = claim_all(workers, now)
    serve(now, first=1)
    serve(now, first=2)

    assert not claim_all(workers, now)
    settle(claims[1], now)
    assert len(claim_all(workers, now)) == 1
    assert list(ModelSlot.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


@pytest.mark.parametrize(("others", "left"), [(None, 3), (0, 3), (1, 2), (2, 1), (3, 1), (99, 1)])
def test_calls_of_other_programs_take_slots_but_one(
    alice: User, workers: list[Worker], now: datetime, others: int | None, left: int
) -> None:
    for _each in range(4):
        submit(alice, now)
    record_models(observed(MODEL, 3, other_calls=others), now=now)

    assert ModelState.objects.get(name=MODEL).slots == left
    assert len(claim_all(workers, now)) == left


def test_other_programs_give_no_slot_to_a_model_without_one(now: datetime) -> None:
    record_models(observed(MODEL, 0, other_calls=2), now=now)

    assert not ModelSlot.objects.exists()


def test_surplus_slots_cut_no_wait(alice: User, workers: list[Worker], now: datetime) -> None:
    serve(now, first=2)
    for _each in range(2):
        submit(alice, now)
    claims = claim_all(workers, now)
    waiting = str(submit(alice, now).pk)
    serve(now, first=1)
    complete(claims[1], now)

    place = selectors.queue_positions([waiting], now=now)[waiting]

    assert place["eta_seconds"] is not None
    assert place["eta_seconds"] > 0


def test_a_task_with_a_slot_is_skipped(
    alice: User, bob: User, workers: list[Worker], now: datetime
) -> None:
    serve(now, first=2)
    held, other = submit(alice, now), submit(bob, now)
    interrupt(claim_one(workers[0], now), InterruptReason.HANDED_BACK, now)

    assert [claim.task.pk for claim in claim_all(workers, now)] == [other.pk]
    assert selectors.queue_positions([str(held.pk)], now=now) == {}


def test_no_claims_without_the_server(alice: User, workers: list[Worker], now: datetime) -> None:
    serve(now, first=1, second=1)
    submit(alice, now)
    submit(alice, now, model=OTHER)

    services.record_unreachable(server_id=default_server(now), code=ErrorCode.MODEL_DOWN, now=now)
    while_away = claim_all(workers, now)
    serve(now, first=1, second=1)

    assert while_away == []
    assert len(claim_all(workers, now)) == 2


def test_a_refused_key_stops_claims(alice: User, workers: list[Worker], now: datetime) -> None:
    serve(now, first=1, second=1)
    submit(alice, now)
    refuse_key(now)
    serve(now, first=1, second=1)  # a probe that had started before the key was refused

    assert not claim_all(workers, now)
    assert not ModelState.objects.filter(ready=True).exists()


def test_a_changed_key_is_used_at_once(alice: User, workers: list[Worker], now: datetime) -> None:
    serve(now, first=1)
    submit(alice, now)
    with override_settings(XINFERENCE_API_KEY="old"):
        refuse_key(now)
    with override_settings(XINFERENCE_API_KEY="new"):
        assert not services.key_is_refused(server_id=default_server(now), now=now)
        serve(now, first=1)
        assert ModelState.objects.get(name=MODEL).ready

    with override_settings(XINFERENCE_API_KEY="old"):
        # a worker that was not started again yet
        assert services.key_is_refused(server_id=default_server(now), now=now)
        assert not claim_all(workers, now)
    with override_settings(XINFERENCE_API_KEY="new"):
        assert len(claim_all(workers, now)) == 1
