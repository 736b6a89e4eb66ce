"""Claims, slots, fairness and leases."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from generation import selectors, services
from generation.choices import TaskStatus
from generation.error_codes import ErrorCode
from generation.models import GenerationTask, ModelSlot, ModelState, Worker
from generation.protocol import QueuePosition
from generation.services import Claim
from tests.conftest import MODEL, serve_model
from tests.factories import claim_one, default_server, finish, refuse_key, settle, store, submit

pytestmark = pytest.mark.django_db


def test_no_claim_for_an_unready_model(alice: User, worker: Worker, now: datetime) -> None:
    serve_model(now=now, ready=False)
    submit(alice, now)

    assert not services.claim(worker_id=worker.pk, now=now)


def test_as_many_tasks_run_as_there_are_slots(alice: User, worker: Worker, now: datetime) -> None:
    serve_model(now=now, slots=2)
    for _each in range(3):
        submit(alice, now)

    claims = [services.claim(worker_id=worker.pk, now=now) for _each in range(3)]

    assert [len(each) for each in claims] == [1, 1, 0]


def test_settling_frees_the_slot(alice: User, model: str, worker: Worker, now: datetime) -> None:
    submit(alice, now)
    submit(alice, now)
    claim = claim_one(worker, now)
    store(claim, now)

    finish(claim, now)

    assert not services.claim(worker_id=worker.pk, now=now)
    assert settle(claim, now)
    assert services.claim(worker_id=worker.pk, now=now)


def test_removed_replicas_remove_slots(alice: User, worker: Worker, now: datetime) -> None:
    serve_model(now=now, slots=2)
    submit(alice, now)
    submit(alice, now)
    claims = [claim_one(worker, now), claim_one(worker, now)]

    serve_model(now=now, slots=1)
    held = ModelSlot.objects.count()
    for claim in claims:
        settle(claim, now)
    serve_model(now=now, slots=1)

    assert held == 2
    assert list(ModelSlot.objects.values_list("number", flat=True)) == [1]


def test_a_wait_has_its_reason(alice: User, worker: Worker, now: datetime) -> None:
    task = submit(alice, now)

    def reason(at: datetime) -> str:
        return selectors.queue_positions([str(task.pk)], now=at)[str(task.pk)]["reason"]

    assert reason(now) == "model_down"
    serve_model(now=now)
    assert reason(now) == "in_line"
    assert reason(now + timedelta(seconds=16)) == "no_worker"
    refuse_key(now)
    assert reason(now) == "key_refused"
    assert services.key_is_refused(server_id=default_server(now), now=now + timedelta(minutes=14))
    assert not services.key_is_refused(
        server_id=default_server(now), now=now + timedelta(minutes=16)
    )


def test_expired_lease_is_shown(alice: User, model: str, worker: Worker, now: datetime) -> None:
    task = submit(alice, now)
    claim_one(worker, now)

    def positions(at: datetime) -> dict[str, QueuePosition]:
        return selectors.queue_positions([str(task.pk)], now=at)

    assert positions(now + timedelta(seconds=29)) == {}
    abandoned = positions(now + timedelta(seconds=31))[str(task.pk)]
    assert (abandoned["position"], abandoned["reason"]) == (0, "no_worker")


def test_a_late_heartbeat_renews_no_lease(claim: Claim, worker: Worker, now: datetime) -> None:
    def heartbeat(at: datetime) -> None:
        services.heartbeat(worker_id=worker.pk, slot_ids=[claim.slot_id], draining=False, now=at)

    heartbeat(now + timedelta(seconds=20))
    assert not services.take_over_expired(worker_id=worker.pk, now=now + timedelta(seconds=40))
    heartbeat(now + timedelta(seconds=60))
    assert services.take_over_expired(worker_id=worker.pk, now=now + timedelta(seconds=61))


def test_a_lost_model_stays_lost(alice: User, model: str, worker: Worker, now: datetime) -> None:
    submit(alice, now)
    services.record_lost_model(
        server_id=default_server(now), name=MODEL, identity="127.0.0.1:1", now=now
    )

    serve_model(now=now)
    assert not services.claim(worker_id=worker.pk, now=now)
    serve_model(now=now, identity="127.0.0.1:2")
    assert services.claim(worker_id=worker.pk, now=now)


def test_a_model_the_server_does_not_name_any_more_is_not_ready(model: str, now: datetime) -> None:
    serve_model(now=now, name="other")

    assert not ModelState.objects.get(name=MODEL).ready
    assert ModelState.objects.get(name="other").ready


def test_the_database_refuses_nonsense(alice: User, now: datetime) -> None:
    task = submit(alice, now)
    nonsense: list[dict[str, object]] = [
        {"progress": 101},
        {"width": 500},
        {"image_count": 5},
        {"status": TaskStatus.COMPLETED},
        {"status": TaskStatus.FAILED, "finished_at": now},
        {"error_code": ErrorCode.STALLED},
        {"finished_at": now},
        {"status": TaskStatus.CANCELLED, "finished_at": now},
    ]
    for changes in nonsense:
        with pytest.raises(IntegrityError), transaction.atomic():
            GenerationTask.objects.filter(pk=task.pk).update(**changes)


def test_workers_that_went_long_ago_are_forgotten(worker: Worker, now: datetime) -> None:
    services.register_worker(host="here", pid=2, version="test", now=now - timedelta(days=8))

    assert services.delete_old_workers(now=now) == 1
    assert list(Worker.objects.all()) == [worker]
