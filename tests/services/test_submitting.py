"""Submission: stored values, refusals and their reasons."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from generation import selectors, services
from generation.choices import TaskStatus
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput, LimitReached, NotFound, TransitionRefused
from generation.models import GenerationTask, Worker
from generation.protocol import Generate
from tests.conftest import MODEL
from tests.factories import failed_task, submit
from tests.rows import copies

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("prompt", ["🌸", "!", "1", "柳", "a\u200d", "e\u0301", "\U0001fae9"])
def test_one_visible_character_is_a_prompt(alice: User, now: datetime, prompt: str) -> None:
    assert submit(alice, now, prompt=prompt).prompt == prompt


def test_a_negative_prompt_of_invisible_characters_is_none(alice: User, now: datetime) -> None:
    assert submit(alice, now, negative_prompt="\u200b \ufeff").negative_prompt == ""


def test_a_prompt_alone_is_enough(alice: User, now: datetime) -> None:
    task = submit(alice, now)

    assert (task.width, task.height, task.image_count, task.steps, task.requested_seed) == (
        512,
        512,
        1,
        9,
        None,
    )
    assert task.model == MODEL
    assert task.status == TaskStatus.QUEUED
    assert task.newest_seq == 1


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"prompt": ""}, ErrorCode.PROMPT_EMPTY, "prompt"),
        ({"prompt": " \n\t "}, ErrorCode.PROMPT_EMPTY, "prompt"),
        ({"prompt": "\u200b\ufeff\u2060"}, ErrorCode.PROMPT_EMPTY, "prompt"),
        ({"prompt": "\u3164\u00a0\u00ad"}, ErrorCode.PROMPT_EMPTY, "prompt"),
        ({"prompt": "\u2800\ufe0f\U000e0100"}, ErrorCode.PROMPT_EMPTY, "prompt"),
        ({"prompt": "\u202e\u0301"}, ErrorCode.PROMPT_EMPTY, "prompt"),
        ({"prompt": "柳" * 2001}, ErrorCode.PROMPT_TOO_LONG, "prompt"),
        ({"prompt": "a\0b"}, ErrorCode.PROMPT_INVALID, "prompt"),
        ({"prompt": "\ud800"}, ErrorCode.PROMPT_INVALID, "prompt"),
        ({"negative_prompt": "a\0b"}, ErrorCode.PROMPT_INVALID, "negative_prompt"),
        ({"negative_prompt": "x" * 2001}, ErrorCode.PROMPT_TOO_LONG, "negative_prompt"),
        ({"size": (512, 500)}, ErrorCode.SIZE_INVALID, "size"),
        ({"size": (240, 512)}, ErrorCode.SIZE_INVALID, "size"),
        ({"size": (512, 2064)}, ErrorCode.SIZE_INVALID, "size"),
        ({"n": 0}, ErrorCode.COUNT_INVALID, "n"),
        ({"n": 5}, ErrorCode.COUNT_INVALID, "n"),
        ({"steps": 0}, ErrorCode.STEPS_INVALID, "steps"),
        ({"steps": 101}, ErrorCode.STEPS_INVALID, "steps"),
        ({"guidance": -1.0}, ErrorCode.GUIDANCE_INVALID, "guidance"),
        ({"guidance": 30.5}, ErrorCode.GUIDANCE_INVALID, "guidance"),
        ({"guidance": float("nan")}, ErrorCode.GUIDANCE_INVALID, "guidance"),
        ({"seed": -1}, ErrorCode.SEED_INVALID, "seed"),
        ({"seed": 2**32}, ErrorCode.SEED_INVALID, "seed"),
        ({"model": "someone-elses"}, ErrorCode.MODEL_UNKNOWN, "model"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_field_and_nothing_is_stored(
    alice: User, now: datetime, fields: dict[str, Any], code: ErrorCode, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        submit(alice, now, **fields)

    assert (refused.value.code, refused.value.field) == (code, field)
    assert not GenerationTask.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "柳" * 2000},
        {"prompt": "a\nb 🌸"},
        {"size": (256, 2048)},
        {"n": 4},
        {"steps": 1},
        {"steps": 100},
        {"seed": 0},
        {"seed": 2**32 - 1},
        {"guidance": 0.0},
    ],
)
def test_bounds_are_inclusive(alice: User, now: datetime, fields: dict[str, Any]) -> None:
    task = submit(alice, now, **fields)

    assert task.status == TaskStatus.QUEUED


def test_a_model_seen_by_a_worker_is_valid(alice: User, now: datetime, model: str) -> None:
    assert submit(alice, now, model=model).model == model


def test_the_same_request_key_gives_the_same_task(alice: User, now: datetime) -> None:
    request = Generate(prompt="LiuJuan", request_key=uuid.uuid4())

    first = services.submit(owner=alice, request=request, now=now)
    second = services.submit(owner=alice, request=request, now=now)

    assert (first.duplicate, second.duplicate) == (False, True)
    assert first.task.pk == second.task.pk
    assert GenerationTask.objects.count() == 1


def test_a_request_key_with_other_content_is_refused(alice: User, now: datetime) -> None:
    key = uuid.uuid4()
    submit(alice, now, request_key=key)

    with pytest.raises(InvalidInput) as refused:
        submit(alice, now, prompt="something else", request_key=key)

    assert refused.value.code == ErrorCode.REQUEST_KEY_REUSED
    assert GenerationTask.objects.count() == 1


def test_a_key_outlives_its_parent(alice: User, model: str, worker: Worker, now: datetime) -> None:
    parent, other = failed_task(alice, worker, now), failed_task(alice, worker, now)
    key = uuid.uuid4()
    made = submit(alice, now, request_key=key, parent=str(parent.pk))
    parent_id = str(parent.pk)
    parent.delete()

    assert submit(alice, now, request_key=key, parent=parent_id).pk == made.pk
    for asked in ({"parent": str(other.pk)}, {"parent": parent_id, "seed": 1}):
        with pytest.raises(InvalidInput) as refused:
            submit(alice, now, request_key=key, **asked)
        assert refused.value.code == ErrorCode.REQUEST_KEY_REUSED


def test_two_people_may_use_the_same_request_key(alice: User, bob: User, now: datetime) -> None:
    key = uuid.uuid4()

    assert submit(alice, now, request_key=key).pk != submit(bob, now, request_key=key).pk


def test_queued_tasks_per_user_are_limited(alice: User, bob: User, now: datetime) -> None:
    first = submit(alice, now, request_key=uuid.uuid4())
    copies(first, [{}] * 499)

    with pytest.raises(LimitReached) as refused:
        submit(alice, now)

    assert refused.value.code == ErrorCode.TOO_MANY_WAITING
    assert submit(alice, now, request_key=first.request_key).pk == first.pk
    assert submit(bob, now).status == TaskStatus.QUEUED


def test_a_retry_copies_settings(alice: User, model: str, worker: Worker, now: datetime) -> None:
    parent = failed_task(alice, worker, now)

    retried = services.retry(task=parent, key=None, now=now).task

    assert retried.pk != parent.pk
    assert (retried.parent_id, retried.prompt, retried.requested_seed) == (
        parent.pk,
        parent.prompt,
        7,
    )
    assert retried.status == TaskStatus.QUEUED


def test_deleted_is_not_retried(alice: User, model: str, worker: Worker, now: datetime) -> None:
    parent, purged = failed_task(alice, worker, now), failed_task(alice, worker, now)
    services.move_to_trash(owner=alice, pictures=[], tasks=[parent.pk], now=now)
    GenerationTask.objects.filter(pk=purged.pk).delete()

    for task in (parent, purged):
        with pytest.raises(NotFound):
            services.retry(task=task, key=None, now=now)

    # staff find it in the trash
    parent.refresh_from_db()
    assert services.retry(task=parent, key=None, now=now).task.parent_id == parent.pk


def test_a_retry_is_idempotent(alice: User, model: str, worker: Worker, now: datetime) -> None:
    parent = failed_task(alice, worker, now)

    first = services.retry(task=parent, key=None, now=now)
    second = services.retry(task=parent, key=uuid.uuid4(), now=now)

    assert second.duplicate
    assert first.task.pk == second.task.pk


def test_a_variation_is_no_retry(alice: User, model: str, worker: Worker, now: datetime) -> None:
    parent = failed_task(alice, worker, now)
    variation = submit(alice, now, parent=str(parent.pk), seed=8)

    first = services.retry(task=parent, key=None, now=now)
    second = services.retry(task=parent, key=None, now=now)

    assert (first.duplicate, second.duplicate) == (False, True)
    assert first.task.pk == second.task.pk != variation.pk
    assert {task.requested_seed for task in parent.retries.all()} == {7, 8}


def test_a_task_is_made_from_ones_own_visible_task_or_not_at_all(
    alice: User, bob: User, model: str, worker: Worker, now: datetime
) -> None:
    mine, others = failed_task(alice, worker, now), failed_task(bob, worker, now)
    deleted = failed_task(alice, worker, now)
    services.move_to_trash(owner=alice, pictures=[], tasks=[deleted.pk], now=now)

    assert submit(alice, now, parent=str(mine.pk)).parent == mine
    for parent in (str(others.pk), str(deleted.pk), str(uuid.uuid4()), "", "x", "柳"):
        with pytest.raises(InvalidInput) as refused:
            submit(alice, now, parent=parent)
        assert (refused.value.code, refused.value.field) == (ErrorCode.NOT_FOUND, "parent")


def test_a_key_includes_its_parent(alice: User, model: str, worker: Worker, now: datetime) -> None:
    key = uuid.uuid4()
    first, second = failed_task(alice, worker, now), failed_task(alice, worker, now)
    task = submit(alice, now, parent=str(first.pk), request_key=key)

    for other in (str(second.pk), None):
        with pytest.raises(InvalidInput) as refused:
            submit(alice, now, parent=other, request_key=key)
        assert refused.value.code == ErrorCode.REQUEST_KEY_REUSED
    services.move_to_trash(owner=alice, pictures=[], tasks=[first.pk], now=now)

    assert submit(alice, now, parent=str(first.pk), request_key=key) == task


def test_a_task_that_is_not_over_cannot_be_retried(alice: User, now: datetime) -> None:
    task = submit(alice, now)

    with pytest.raises(TransitionRefused):
        services.retry(task=task, key=None, now=now)


def test_estimates_follow_history(alice: User, model: str, worker: Worker, now: datetime) -> None:
    before = submit(alice, now).expected_durations
    GenerationTask.objects.filter(owner=alice).update(
        status=TaskStatus.COMPLETED,
        progress=100,
        finished_at=now + timedelta(seconds=1),
        measured_durations={"generating": 2 * before["generating"]},
    )

    same = submit(alice, now).expected_durations
    larger = submit(alice, now, size=(1024, 1024)).expected_durations

    assert same["generating"] == pytest.approx(2 * before["generating"])
    assert larger["generating"] == pytest.approx(8 * before["generating"])
    assert same["decoding"] == before["decoding"]


def test_the_stall_limit_depends_on_the_size(alice: User, now: datetime) -> None:
    small = submit(alice, now)
    large = submit(alice, now, size=(2048, 2048), steps=50)

    assert selectors.stall_limit(small.expected_durations) == timedelta(seconds=120)
    assert selectors.deadline_limit(small.expected_durations) == timedelta(hours=1)
    per_picture = sum(large.expected_durations.values()) - large.expected_durations["loading"]
    assert selectors.stall_limit(large.expected_durations) == timedelta(seconds=10 * per_picture)
    with override_settings(GENERATION_STALL=timedelta(seconds=7)):
        assert selectors.stall_limit(large.expected_durations) == timedelta(seconds=7)
