"""Favourites and the trash: deletion, restoration and emptying."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from generation import selectors, services
from generation.exceptions import NotFound, TransitionRefused
from generation.models import GeneratedImage, GenerationTask, Worker
from tests.factories import (
    TRASH_KEPT,
    add_picture,
    claim_one,
    finish,
    finished_task,
    put_in_trash,
    state_of,
    store,
    submit,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("model")]


def back(
    owner: User,
    now: datetime,
    *pictures: tuple[GenerationTask, int],
    tasks: Collection[GenerationTask] = (),
) -> int:
    return services.restore(
        owner=owner,
        pictures=[(task.pk, index) for task, index in pictures],
        tasks=[task.pk for task in tasks],
        now=now,
    )


def shown(owner: User, now: datetime) -> dict[str, list[int]]:
    """What the studio page shows: the prompts of cards, with their pictures."""
    return {
        card["task"]["prompt"]: [image["index"] for image in card["state"]["images"]]
        for card in selectors.recent_cards(owner, now=now)
    }


def really_drawn(owner: User, worker: Worker, now: datetime, n: int) -> GenerationTask:
    task = submit(owner, now, n=n, prompt="willow")
    claim = claim_one(worker, now)
    for index in range(1, n + 1):
        store(claim, now, index)
    finish(claim, now)
    services.settle_slot(slot_id=claim.slot_id, task_id=task.pk, attempt=1, now=now)
    return task


def test_a_favourite_is_one_until_it_is_taken_back(media: Path, alice: User, now: datetime) -> None:
    task = finished_task(alice, now, pictures=2)
    keys = [(task.pk, 1), (task.pk, 2)]

    assert services.set_favourite(owner=alice, pictures=keys[:1], favourite=True) == 1
    assert services.set_favourite(owner=alice, pictures=keys, favourite=True) == 1
    assert services.set_favourite(owner=alice, pictures=keys, favourite=False) == 2


def test_anothers_favourite_is_refused(media: Path, alice: User, bob: User, now: datetime) -> None:
    mine, others = finished_task(bob, now), finished_task(alice, now)

    with pytest.raises(NotFound):
        services.set_favourite(owner=bob, pictures=[(mine.pk, 1), (others.pk, 1)], favourite=True)

    assert not GeneratedImage.objects.filter(favourite=True).exists()


def test_cards_have_favourites_only_undeleted(alice: User, worker: Worker, now: datetime) -> None:
    task = really_drawn(alice, worker, now, n=3)
    services.set_favourite(owner=alice, pictures=[(task.pk, 3)], favourite=True)
    put_in_trash(alice, now, (task, 1))

    card = selectors.card_of(task, now=now)

    assert [(each["index"], each["favourite"]) for each in card["state"]["images"]] == [
        (2, False),
        (3, True),
    ]
    logged = state_of(task.pk)["images"]
    assert [each["index"] for each in logged] == [1, 2, 3]
    assert "favourite" not in logged[0]


def test_a_task_follows_its_last_picture(alice: User, worker: Worker, now: datetime) -> None:
    task = really_drawn(alice, worker, now, n=2)

    assert put_in_trash(alice, now, (task, 1)) == 1
    assert shown(alice, now) == {"willow": [2]}
    assert put_in_trash(alice, now, (task, 1), (task, 2)) == 1
    assert shown(alice, now) == {}
    with pytest.raises(NotFound):
        selectors.visible_task(task.pk, alice)

    assert back(alice, now, (task, 2)) == 1
    assert shown(alice, now) == {"willow": [2]}


def test_a_restore_undoes_one_deletion(alice: User, worker: Worker, now: datetime) -> None:
    task = really_drawn(alice, worker, now, n=3)
    put_in_trash(alice, now, (task, 1))
    later = now + timedelta(minutes=1)
    put_in_trash(alice, later, (task, 2), (task, 3))

    assert back(alice, later, tasks=[task]) == 1
    assert shown(alice, now) == {"willow": [2, 3]}

    assert put_in_trash(alice, later, tasks=[task]) == 1
    assert back(alice, later, tasks=[task]) == 1
    assert shown(alice, now) == {"willow": [2, 3]}


def test_a_trashed_task_restores_its_picture(alice: User, worker: Worker, now: datetime) -> None:
    task = really_drawn(alice, worker, now, n=2)
    put_in_trash(alice, now, tasks=[task])

    # another tab, which does not know yet
    assert put_in_trash(alice, now + timedelta(minutes=1), (task, 1)) == 0

    assert back(alice, now + timedelta(minutes=2), tasks=[task]) == 1
    assert shown(alice, now) == {"willow": [1, 2]}


def test_restoring_what_is_there_changes_nothing(media: Path, alice: User, now: datetime) -> None:
    task = finished_task(alice, now)

    assert back(alice, now, (task, 1), tasks=[task]) == 0


def test_unfinished_tasks_stop_a_deletion(media: Path, alice: User, now: datetime) -> None:
    over, waiting = finished_task(alice, now), submit(alice, now)
    add_picture(waiting, 1, 5)

    for pictures, tasks in (
        ([(over, 1), (waiting, 1)], []),
        ([(over, 1)], [waiting]),
        ([], [over, waiting]),
    ):
        with pytest.raises(TransitionRefused):
            put_in_trash(alice, now, *pictures, tasks=tasks)

    assert not GeneratedImage.objects.filter(deleted_at__isnull=False).exists()
    assert not GenerationTask.objects.filter(deleted_at__isnull=False).exists()


def test_anothers_things_are_not_there(media: Path, alice: User, bob: User, now: datetime) -> None:
    others, mine = finished_task(alice, now), finished_task(bob, now)

    for pictures, tasks in (
        ([(mine, 1), (others, 1)], []),
        ([], [mine, others]),
        ([(mine, 2)], []),
    ):
        with pytest.raises(NotFound):
            put_in_trash(bob, now, *pictures, tasks=tasks)
    put_in_trash(alice, now, (others, 1))
    with pytest.raises(NotFound):
        back(bob, now, (others, 1))

    assert mine in GenerationTask.objects.live()
    assert GenerationTask.objects.get(pk=others.pk).deleted_at == now


def test_trash_is_for_staff_only(media: Path, alice: User, rita: User, now: datetime) -> None:
    whole, part = finished_task(alice, now), finished_task(alice, now, pictures=2)
    put_in_trash(alice, now, (part, 1), tasks=[whole])

    for task in (whole, part):
        with pytest.raises(NotFound):
            selectors.picture_of(task.pk, 1, alice)
        assert selectors.picture_of(task.pk, 1, rita).index == 1
    assert selectors.picture_of(part.pk, 2, alice).index == 2
    assert selectors.visible_task(whole.pk, rita) == whole
    keys = [str(whole.pk), str(part.pk)]
    assert selectors.visible_among(keys, alice) == {str(part.pk)}
    assert selectors.visible_among(keys, rita) == set(keys)


def test_a_superusers_own_trash_is_hidden(media: Path, alice: User, now: datetime) -> None:
    root = User.objects.create_superuser("root")
    bobs, hers = finished_task(root, now), finished_task(alice, now)
    put_in_trash(root, now, tasks=[bobs])
    put_in_trash(alice, now, tasks=[hers])

    assert selectors.visible_among([str(bobs.pk), str(hers.pk)], root) == {str(hers.pk)}
    with pytest.raises(NotFound):
        selectors.visible_task(bobs.pk, root)


def test_after_its_time_it_does_not_come_back(media: Path, alice: User, now: datetime) -> None:
    task = finished_task(alice, now)
    put_in_trash(alice, now, (task, 1))

    with pytest.raises(NotFound):
        back(alice, now + TRASH_KEPT, (task, 1))
    assert back(alice, now + TRASH_KEPT - timedelta(seconds=1), (task, 1)) == 1
