"""Comparison of pictures: common settings, and differences from the majority."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User

from generation import selectors
from generation.selectors.comparison import Comparison
from tests.factories import finished_task, picture_key
from tests.pages.page_clients import signed_in

pytestmark = pytest.mark.django_db


def compared(alice: User, now: datetime, *wishes: dict[str, Any]) -> Comparison:
    tasks = [finished_task(alice, now, **wish) for wish in wishes]
    images = selectors.pictures_of_keys(alice, [(task.pk, 1) for task in tasks])
    return selectors.comparison([selectors.image_detail(image) for image in images])


def marked(comparison: Comparison) -> list[list[str]]:
    return [
        [fact["name"] for fact in picture["facts"] if fact["differs"]]
        for picture in comparison["pictures"]
    ]


def test_only_what_differs_from_most_is_marked(media: Path, alice: User, now: datetime) -> None:
    found = compared(
        alice, now, {"seed": 7}, {"seed": 8}, {"seed": 7, "guidance": 6.0}, {"seed": 7}
    )

    assert marked(found) == [[], ["seed"], ["guidance"], []]
    assert set(found["shared"]) == {"prompt", "negative_prompt", "model", "size", "steps"}
    names = [[fact["name"] for fact in picture["facts"]] for picture in found["pictures"]]
    assert names == [["guidance", "seed"]] * 4


def test_of_two_the_first_is_the_usual_one(media: Path, alice: User, now: datetime) -> None:
    found = compared(alice, now, {"prompt": "a", "seed": 7}, {"prompt": "b", "seed": 7})

    assert marked(found) == [[], ["prompt"]]
    assert found["shared"]["seed"] == 7


def test_two_of_a_shape_can_lie_upon_each_other(media: Path, alice: User, now: datetime) -> None:
    assert compared(alice, now, {"seed": 1}, {"seed": 2})["slides"]
    assert not compared(alice, now, {"seed": 1}, {"seed": 2}, {"seed": 3})["slides"]


def test_shared_settings_are_shown_once(media: Path, alice: User, now: datetime) -> None:
    one, other = (finished_task(alice, now, prompt="willow", seed=seed) for seed in (7, 8))
    query = urlencode([("picture", picture_key(task, 1)) for task in (one, other)])

    html = signed_in(alice).get(f"/compare/?{query}").text

    assert html.count("comparison__prompt") == 1
    assert html.count("<mark>") == 1
    assert "<mark><span>8</span></mark>" in html
    assert f"?from={one.pk}%3A1" in html
