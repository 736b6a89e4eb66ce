"""The forecast before a submission: queue position, start time, or the reason for neither."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from generation import selectors, services
from generation.choices import InterruptReason
from generation.models import GenerationTask, ModelState, Worker
from generation.protocol import ModelData, QueuePosition
from generation.services import Claim
from tests.conftest import MODEL, serve_model
from tests.factories import claim_one, interrupt, record_models, refuse_key, settle, store, submit
from tests.query_plans import count_queries
from tests.services.queues import SECOND, every_queue, fill, fill_after, rolled_back

pytestmark = pytest.mark.django_db


def offer(owner: User, now: datetime) -> ModelData:
    return selectors.model_offers(owner.pk, now=now)[0]


def wait(owner: User, now: datetime) -> QueuePosition:
    return offer(owner, now)["wait"]


def test_a_free_slot_has_no_wait(alice: User, model: str, worker: Worker, now: datetime) -> None:
    assert wait(alice, now) == {
        "position": 1,
        "eta_seconds": 0,
        "basis": "estimated",
        "reason": "in_line",
    }


def test_ones_own_tasks_push_the_next_one_back_and_leave_others_ahead_of_it(
    alice: User, bob: User, model: str, worker: Worker, now: datetime
) -> None:
    submit(alice, now)
    claim_one(worker, now)
    for second in range(5):
        submit(alice, now + second * SECOND)

    mine, bobs = wait(alice, now + 9 * SECOND), wait(bob, now + 9 * SECOND)

    assert (mine["position"], bobs["position"]) == (6, 1)
    assert mine["eta_seconds"] is not None
    assert bobs["eta_seconds"] is not None
    assert mine["eta_seconds"] > bobs["eta_seconds"] > 0


def test_a_paused_task_does_not_come_first(claim: Claim, alice: User, now: datetime) -> None:
    interrupt(claim, InterruptReason.MODEL_DOWN, now)
    settle(claim, now)

    assert wait(alice, now)["position"] == 1


def test_a_wait_that_cannot_end_has_its_reason(alice: User, worker: Worker, now: datetime) -> None:
    def wait_of(at: datetime) -> tuple[str, float | None]:
        position = wait(alice, at)
        return position["reason"], position["eta_seconds"]

    assert wait_of(now) == ("model_down", None)
    serve_model(now=now)
    assert wait_of(now) == ("in_line", 0)
    assert wait_of(now + timedelta(seconds=16)) == ("no_worker", None)
    refuse_key(now)
    assert wait_of(now) == ("key_refused", None)


def test_the_pace_is_a_median(alice: User, model: str, worker: Worker, now: datetime) -> None:
    before = offer(alice, now)
    for seconds in (3.0, 4.0, 50.0):
        submit(alice, now, size=(512, 1024), steps=10)
        claim = claim_one(worker, now)
        store(claim, now)
        task, measured = claim.task, {"generating": seconds}
        services.complete(task_id=task.pk, attempt=task.attempt, measured=measured, now=now)
        settle(claim, now)

    assert (before["seconds_per_step"], before["expected"]) == (None, None)
    after = offer(alice, now)
    assert after["seconds_per_step"] == pytest.approx(0.2)
    assert after["expected"] is not None
    assert after["expected"]["generating"] == pytest.approx(1.8)
    assert after["expected"]["decoding"] > 0  # not measured here: what is assumed of every model


def test_unused_models_are_free(alice: User, model: str, worker: Worker, now: datetime) -> None:
    def offers() -> None:
        assert selectors.model_offers(alice.pk, now=now)

    before = count_queries(offers)
    names = [f"never-{number}" for number in range(64)]
    ModelState.objects.bulk_create(ModelState(name=name, checked_at=now) for name in names)

    assert count_queries(offers) == before


def test_an_estimate_is_the_coarser_the_farther_it_is(
    alice: User, bob: User, model: str, worker: Worker, now: datetime
) -> None:
    submit(alice, now)
    claim_one(worker, now)
    wait_of = []
    for _each in range(30):
        submit(bob, now, n=4)
        wait_of.append(wait(bob, now)["eta_seconds"])

    seconds = [each for each in wait_of if each is not None]

    assert len(seconds) == 30
    assert seconds == sorted(seconds)
    assert all(each % 5 == 0 for each in seconds if 10 <= each < 60)
    assert all(each % 10 == 0 for each in seconds if each >= 60)


@every_queue
@given(
    arrivals=st.lists(st.integers(0, 2), max_size=10),
    before=st.lists(st.integers(0, 2), max_size=5),
    busy=st.integers(0, 3),
    newcomer=st.integers(0, 2),
)
def test_the_forecast_position_is_the_position(
    owners: list[User],
    worker: Worker,
    now: datetime,
    arrivals: list[int],
    before: list[int],
    busy: int,
    newcomer: int,
) -> None:
    with rolled_back():
        at = fill_after(owners, worker, now, arrivals, before, busy)

        said = wait(owners[newcomer], at)
        task = str(submit(owners[newcomer], at).pk)
        position = selectors.queue_positions([task], now=at)[task]

        assert said["position"] == position["position"]
        assert (said["eta_seconds"] == 0) == (position["eta_seconds"] == 0)


def test_one_read_serves_all(owners: list[User], model: str, worker: Worker, now: datetime) -> None:
    fill(owners, [0, 1, 2, 0], now)

    def read(asked: list[User]) -> None:
        forecast = selectors.read_forecast(now=now, owners=[owner.pk for owner in asked])
        for owner in asked:
            forecast.waits(owner.pk)
        forecast.positions(map(str, GenerationTask.objects.none()))

    assert count_queries(partial(read, owners)) == count_queries(partial(read, owners[:1]))


def test_each_model_has_its_queue(alice: User, model: str, worker: Worker, now: datetime) -> None:
    serve_model(now=now)
    record_models(now=now)
    serve_model(now=now, name="other")
    submit(alice, now, model="other")

    rows = {row["name"]: row for row in selectors.model_offers(alice.pk, now=now)}

    assert list(rows) == [MODEL, "other"]
    assert rows["other"]["wait"]["position"] == 2
    assert rows[MODEL]["wait"]["position"] == 1
