"""Details of single pictures, and tasks that start from one."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation import selectors, services
from generation.choices import Step
from generation.models import GenerationTask, Worker
from generation.services import Claim
from tests.conftest import serve_model
from tests.factories import boundary, claim_one, finish, finished_task, picture_key, store, submit
from tests.pages.page_clients import signed_in, state_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]


def test_a_picture_has_all_its_settings(alice: User, now: datetime) -> None:
    task = finished_task(alice, now, pictures=2, prompt="willow", negative_prompt="fog", seed=7)

    about = signed_in(alice).get(f"/pictures/{task.pk}/2/about/").json()

    assert about["key"] == picture_key(task, 2)
    assert (about["index"], about["count"], about["seed"], about["format"]) == (2, 2, 8, "JPEG")
    assert about["parameters"].startswith("willow\nNegative prompt: fog\nSteps: 9, ")
    assert "Seed: 8, Size: 512x512" in about["parameters"]
    assert about["settings"] == {
        "prompt": "willow",
        "negative_prompt": "fog",
        "model": task.model,
        "size": "512x512",
        "n": 2,
        "steps": 9,
        "guidance": 0.0,
    }
    assert (about["favourite"], about["demo"]) == (False, False)
    assert [each["current"] for each in about["lineage"]] == [True]


def begin(claim: Claim, step: Step, image: int, now: datetime) -> None:
    services.record_progress(
        task_id=claim.task.pk, attempt=claim.task.attempt, seen=[boundary(step, image)], now=now
    )


def test_seconds_are_per_picture(alice: User, model: str, worker: Worker, now: datetime) -> None:
    submit(alice, now, n=2)
    claim = claim_one(worker, now)
    for index, begun, ended in ((1, 0, 4), (2, 4, 11)):
        begin(claim, Step.GENERATING, index, now + timedelta(seconds=begun))
        begin(claim, Step.FINISHING, index, now + timedelta(seconds=ended - 1))
        store(claim, now + timedelta(seconds=ended), index)
    finish(claim, now + timedelta(seconds=11))

    def seconds(index: int) -> float:
        about: dict[str, float] = (
            signed_in(alice).get(f"/pictures/{claim.task.pk}/{index}/about/").json()
        )
        return about["seconds"]

    assert (seconds(1), seconds(2)) == (4.0, 7.0)


def test_the_lineage_has_three_parents(alice: User, now: datetime) -> None:
    def made_from(parent: GenerationTask, **asked: Any) -> GenerationTask:
        return finished_task(alice, now, parent=str(parent.pk), **{"prompt": "willow", **asked})

    lost = finished_task(alice, now, prompt="willow", seed=50)
    first = made_from(lost, seed=100)
    second = made_from(first)
    failed = made_from(second, pictures=0, status="failed")
    here = made_from(failed, prompt="pine", seed=100, pictures=2)
    again = made_from(here, prompt="pine", seed=101)
    larger = made_from(here, prompt="pine", size=(768, 512), seed=100)
    deleted = made_from(here, prompt="pine", steps=5)
    services.move_to_trash(owner=alice, pictures=[], tasks=[deleted.pk], now=now)

    about = signed_in(alice).get(f"/pictures/{here.pk}/2/about/").json()

    assert [(each["key"], each["change"], each["current"]) for each in about["lineage"]] == [
        (picture_key(first), "", False),
        (picture_key(second), "seed", False),
        (picture_key(here, 2), "prompt", True),
        *sorted([(picture_key(again), "again", False), (picture_key(larger), "size", False)]),
    ]


def test_the_newest_three_children_are_shown(alice: User, now: datetime) -> None:
    parent = finished_task(alice, now)
    children = [
        finished_task(alice, now + timedelta(seconds=k), parent=str(parent.pk)) for k in range(5)
    ]

    about = selectors.visible_image_detail(parent.pk, 1, alice)

    assert [each["key"] for each in about["lineage"]] == [
        picture_key(parent),
        *map(picture_key, children[2:]),
    ]


def test_about_is_for_owner_and_staff(alice: User, bob: User, rita: User, now: datetime) -> None:
    task = finished_task(alice, now)
    path = f"/pictures/{task.pk}/1/about/"

    assert signed_in(rita).get(path).status_code == 200
    for client, where, status in (
        (signed_in(bob), path, 404),
        (signed_in(alice), f"/pictures/{task.pk}/2/about/", 404),
        (signed_in(alice), f"/pictures/{task.pk}/{'9' * 30}/about/", 404),
        (Client(), path, 403),
    ):
        response = client.get(where)
        assert response.status_code == status
        assert set(response.json()) == {"code", "message"}
    assert signed_in(alice).post(path).status_code == 405


def test_two_to_six_can_be_compared(alice: User, bob: User, now: datetime) -> None:
    tasks = [finished_task(alice, now, pictures=4) for _each in range(2)]
    others = finished_task(bob, now)
    keys = [picture_key(task, index) for task in tasks for index in (1, 2, 3, 4)]

    def status(*keys: str) -> int:
        return (
            signed_in(alice)
            .get(f"/compare/?{urlencode([('picture', k) for k in keys])}")
            .status_code
        )

    assert status(*keys[:2]) == status(*keys[:6]) == 200
    assert status(keys[0], keys[0], keys[1]) == 200
    for bad in (
        [],
        keys[:1],
        [keys[0]] * 2,
        keys[:7],
        [keys[0], picture_key(others)],
        [keys[0], "x:1"],
    ):
        assert status(*bad) == 404
    services.move_to_trash(owner=alice, pictures=[(tasks[0].pk, 1)], tasks=[], now=now)
    assert status(*keys[:2]) == 404


def test_the_studio_begins_with_a_picture_that_is_ones_own(
    alice: User, bob: User, rita: User, now: datetime
) -> None:
    task = finished_task(alice, now, pictures=2, prompt="willow", seed=7)

    def begins(user: User, wanted: str) -> dict[str, Any] | None:
        return state_in(signed_in(user).get("/", {"from": wanted}).text).get("from")

    origin = begins(alice, picture_key(task, 2))
    assert origin is not None
    assert (origin["task"], origin["seed"], origin["data"]["prompt"]) == (str(task.pk), 8, "willow")
    for user, wanted in (
        (bob, picture_key(task)),
        (rita, picture_key(task)),
        (alice, picture_key(task, 3)),
        (alice, str(task.pk)),
        (alice, ""),
        (alice, f"{uuid.uuid4()}:1"),
    ):
        assert begins(user, wanted) is None
    services.move_to_trash(owner=alice, pictures=[(task.pk, 2)], tasks=[], now=now)
    assert begins(alice, picture_key(task, 2)) is None


def test_composer_keeps_last_settings(alice: User, bob: User, now: datetime) -> None:
    serve_model(now=now, name="Ink-XL")
    plain = state_in(signed_in(bob).get("/").text)["defaults"]
    finished_task(alice, now, steps=20, seed=5)
    finished_task(
        alice,
        now + timedelta(seconds=1),
        model="Ink-XL",
        size=(768, 512),
        pictures=3,
        steps=12,
        guidance=3.5,
        negative_prompt="fog",
        prompt="willow",
        seed=5,
    )

    begins = state_in(signed_in(alice).get("/").text)["defaults"]

    asked = {"width": 768, "height": 512, "n": 3, "steps": 12, "guidance": 3.5}
    # the example is shown to users without tasks
    others_asked = {"model": "Ink-XL", "negative_prompt": "fog", "prompt": ""}
    assert begins == {**plain, **asked, **others_asked}
    GenerationTask.objects.update(model="gone")
    assert state_in(signed_in(alice).get("/").text)["defaults"]["model"] == plain["model"]
