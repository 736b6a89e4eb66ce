"""The trash: list, restore and delete for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation import services
from generation.models import GeneratedImage, GenerationTask
from tests.factories import TRASH_KEPT, files_in, finished_task, picture_key, put_in_trash
from tests.pages.page_clients import signed_in

pytestmark = pytest.mark.django_db(transaction=True)


def press(client: Client, action: str, **chosen: list[str]) -> str:
    """The page that follows, in English."""
    response = client.post("/trash/change/", {"action": action, **chosen}, follow=True)
    assert response.redirect_chain == [("/trash/", 302)]
    return response.text


def test_it_shows_the_time_left(media: Path, alice: User, bob: User, now: datetime) -> None:
    task = finished_task(alice, now, prompt="a heron", pictures=2)
    half = finished_task(alice, now, pictures=2)
    others = finished_task(bob, now, prompt="not hers")
    old = finished_task(alice, now, prompt="too old")
    put_in_trash(alice, now - timedelta(hours=2), tasks=[task])
    put_in_trash(alice, now, (half, 2))
    put_in_trash(bob, now, tasks=[others])
    put_in_trash(alice, now - TRASH_KEPT, tasks=[old])

    page = signed_in(alice, "en").get("/trash/").text

    assert "a heron" in page
    assert "task with 2 pictures" in page
    assert "22 hours left" in page
    assert "24 hours left" in page
    assert "picture 2 of its task" in page
    assert "not hers" not in page
    assert "too old" not in page
    assert f'value="{task.pk}"' in page
    assert f'value="{picture_key(half, 2)}"' in page


def test_thumbnails_in_the_trash_are_for_the_owner_alone(
    media: Path, alice: User, bob: User, rita: User, now: datetime
) -> None:
    task, kept = finished_task(alice, now), finished_task(alice, now)
    put_in_trash(alice, now, tasks=[task])
    address = f"/trash/{task.pk}/1/thumbnail/"

    assert signed_in(alice).get(address).content == f"picture {task.pk} 1".encode()
    assert signed_in(alice).get(f"/trash/{kept.pk}/1/thumbnail/").status_code == 404
    for stranger in (bob, rita):
        assert signed_in(stranger).get(address).status_code == 404
    assert Client().get(address).status_code == 302


def test_what_was_chosen_is_restored(media: Path, alice: User, now: datetime) -> None:
    task, half = finished_task(alice, now), finished_task(alice, now, pictures=2)
    put_in_trash(alice, now, (half, 1), tasks=[task])
    client = signed_in(alice, "en")

    page = press(client, "restore", tasks=[str(task.pk)], pictures=[picture_key(half, 1)])

    assert "Restored: 2 items" in page
    assert "The trash is empty" in page
    assert GenerationTask.objects.live().count() == 2
    assert not GeneratedImage.objects.filter(deleted_at__isnull=False).exists()


def test_chosen_files_are_deleted(media: Path, alice: User, now: datetime) -> None:
    task, other = finished_task(alice, now), finished_task(alice, now)
    half = finished_task(alice, now, pictures=2)
    put_in_trash(alice, now, (half, 1), tasks=[task, other])
    client = signed_in(alice, "en")

    page = press(client, "delete", tasks=[str(task.pk)], pictures=[picture_key(half, 1)])

    assert "Deleted for good: 2 items" in page
    assert f'value="{other.pk}"' in page
    assert f'value="{task.pk}"' not in page
    assert client.get(f"/trash/{task.pk}/1/thumbnail/").status_code == 404
    assert "no longer in the trash" in press(client, "restore", tasks=[str(task.pk)])
    list(services.purge_trash(now=now + timedelta(seconds=5)))
    assert {name.partition("/")[0] for name in files_in(media)} == {str(half.pk), str(other.pk)}
    assert not any(name.startswith(f"{half.pk}/1-") for name in files_in(media))


def test_only_own_trash_is_emptied(media: Path, alice: User, bob: User, now: datetime) -> None:
    task, others = finished_task(alice, now), finished_task(bob, now)
    half = finished_task(alice, now, pictures=2)
    put_in_trash(alice, now, (half, 1), tasks=[task])
    put_in_trash(bob, now, tasks=[others])

    assert "The trash is empty" in press(signed_in(alice, "en"), "empty")
    assert f'value="{others.pk}"' in signed_in(bob, "en").get("/trash/").text
    assert GenerationTask.objects.live().get() == half


@pytest.mark.parametrize(
    ("action", "chosen"),
    [
        ("restore", {}),
        ("delete", {"tasks": ["7f1c1c1e-0d7a-4a53-9f0e-2f8b6d1f6a11"]}),
        ("delete", {"pictures": ["7f1c1c1e-0d7a-4a53-9f0e-2f8b6d1f6a11:1"]}),
        ("restore", {"pictures": ["nonsense"], "tasks": ["x"]}),
        ("burn", {"tasks": ["7f1c1c1e-0d7a-4a53-9f0e-2f8b6d1f6a11"]}),
        ("restore", {"tasks": ["7f1c1c1e-0d7a-4a53-9f0e-2f8b6d1f6a11"] * 501}),
    ],
)
def test_an_impossible_action_changes_nothing(
    media: Path, alice: User, now: datetime, action: str, chosen: dict[str, list[str]]
) -> None:
    task = finished_task(alice, now)
    put_in_trash(alice, now, tasks=[task])

    page = press(signed_in(alice, "en"), action, **chosen)

    assert 'class="trash__message"' in page
    assert f'value="{task.pk}"' in page


def test_anothers_trash_stays(media: Path, alice: User, bob: User, now: datetime) -> None:
    task, live = finished_task(alice, now), finished_task(alice, now)
    put_in_trash(alice, now, tasks=[task])

    for action in ("restore", "delete"):
        press(signed_in(bob), action, tasks=[str(task.pk)])
    # what is not in the trash is not deleted by this door
    press(signed_in(alice), "delete", tasks=[str(live.pk)])

    task.refresh_from_db()
    live.refresh_from_db()
    assert (task.deleted_at, live.deleted_at) == (now, None)
