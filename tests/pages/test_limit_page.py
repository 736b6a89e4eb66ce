"""The page that shows what is left of the limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.profiles import change_profile
from accounts.tokens import create_token
from generation.choices import LimitKind
from generation.models import LimitOverride
from tests.factories import finished_task, put_in_trash, submit
from tests.pages.page_clients import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("model")]
PAGE = "/accounts/limits/"
TAG = re.compile("<[^>]*>")


def rows(client: Client, language: str = "en") -> dict[str, list[str]]:
    """Title → texts of the row, without those of tags."""
    page = client.get(PAGE, headers={"Accept-Language": language})
    assert page.status_code == 200
    found = re.findall(r'<li class="limit".*?</li>', page.text, re.DOTALL)
    texts = [filter(None, (" ".join(text.split()) for text in TAG.split(row))) for row in found]
    return {title: others for title, *others in texts}


def test_every_kind_is_shown_and_unlimited_ones_say_so(alice: User) -> None:
    shown = rows(signed_in(alice))

    assert list(shown) == [
        "Unfinished tasks",
        "Pictures per day",
        "Drawing effort per day",
        "Drawing effort per task",
        "Submissions per minute",
        "Storage for pictures",
        "Open pages and programs",
        "API requests per minute",
    ]
    assert shown["Unfinished tasks"][0] == "0 of 500"
    assert shown["Open pages and programs"][0] == "0 of 30"
    assert shown["Storage for pictures"] == ["0.0 MB, no limit", "of this installation"]
    assert shown["Pictures per day"] == ["no limit", "of this installation"]


def test_what_is_used_is_shown_with_its_source(alice: User, settings: Settings) -> None:
    settings.LIMIT_PICTURES_PER_DAY, settings.LIMIT_EFFORT_PER_DAY = 40, 10**9
    settings.LIMIT_SUBMISSIONS_PER_MINUTE = 2
    group = Group.objects.create(name="painters")
    alice.groups.add(group)
    LimitOverride.objects.create(group=group, kind=LimitKind.EFFORT, value=3 * 10**9)
    LimitOverride.objects.create(user=alice, kind=LimitKind.UNFINISHED, value=None)
    submit(alice, timezone.now(), n=3, size=(512, 512), steps=10)

    shown = rows(signed_in(alice))

    assert shown["Unfinished tasks"] == ["1, no limit", "set for you"]
    assert shown["Pictures per day"][0] == "3 of 40"
    assert shown["Pictures per day"][1].endswith("· of this installation")
    assert shown["Drawing effort per day"][0] == "7.9 million of 3.0 billion"
    assert shown["Drawing effort per day"][1].endswith("· from your group painters")


@pytest.mark.parametrize(
    ("limit", "english", "chinese"),
    [
        (50_000, "0.1 million", "5.0 万"),
        (99_900_000, "99.9 million", "9,990 万"),
        (1_048_576_000, "1.0 billion", "10.5 亿"),
        (123_456_000_000, "123 billion", "1,235 亿"),
    ],
)
def test_effort_is_counted_as_each_language_does(
    alice: User, settings: Settings, limit: int, english: str, chinese: str
) -> None:
    settings.LIMIT_EFFORT_PER_DAY = limit

    shown = rows(signed_in(alice)), rows(signed_in(alice), "zh-hans")

    assert shown[0]["Drawing effort per day"][0] == f"0.0 million of {english}"
    assert shown[1]["每天的绘制量"][0] == f"0.0 万 / {chinese}"


def test_storage_names_the_part_in_the_trash(alice: User, media: Path, settings: Settings) -> None:
    now = timezone.now()
    task = finished_task(alice, now, pictures=2)
    task.images.update(bytes=1_200_000)
    settings.LIMIT_STORAGE = 5_000_000
    put_in_trash(alice, now, (task, 1))

    shown = rows(signed_in(alice))["Storage for pictures"]

    assert shown[0] == "2.4 MB of 5.0 MB"
    assert "1.2 MB of it are in the trash." in shown
    assert "Open the trash" in shown


@pytest.mark.django_db(transaction=True)
def test_requests_of_programs_are_counted(alice: User, settings: Settings) -> None:
    settings.LIMIT_REQUESTS_PER_MINUTE = 9
    token = create_token(owner=alice, name="robot", now=timezone.now())
    client, minute = signed_in(alice), None
    while minute != timezone.now().minute:
        # again if a minute ended meanwhile
        minute = timezone.now().minute
        cache.clear()
        for _ in range(2):
            answer = Client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 200
        shown = rows(client)["API requests per minute"]

    assert shown == ["2 of 9", "Renews every minute · of this installation"]


def test_days_are_of_the_installation_and_shown_in_the_users_zone(
    alice: User, settings: Settings
) -> None:
    settings.LIMIT_PICTURES_PER_DAY = 40
    submit(alice, timezone.now(), n=3)
    change_profile(alice, time_zone="Asia/Shanghai")
    client = signed_in(alice, "en")

    shown = rows(client)["Pictures per day"]

    assert shown[0] == "3 of 40"
    assert " at 08:00 " in shown[1]
    assert "a day ends at midnight in UTC" in client.get(PAGE).text
