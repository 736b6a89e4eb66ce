"""Old prompts are removed, and nothing of them is left."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from PIL import Image
from pytest_django import Settings

from generation import images, selectors, services
from generation.exceptions import InvalidInput
from generation.images import Picture
from generation.models import GeneratedImage, GenerationTask, LimitUsage, TaskEvent, Worker
from generation.protocol import Generate
from generation.selectors import GalleryFilter
from generation.services import Pruned
from tests.concurrency import at_once
from tests.factories import add_picture, failed_task, files_in, finished_task, submit
from tests.pictures import png
from tests.services.old_tasks import AGE, SECRET, drawn_task, prune_all, store_file

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("model")]


@pytest.fixture(autouse=True)
def thirty_days(settings: Settings) -> None:
    settings.RETENTION_PROMPTS = 30


def is_in_rows(text: str, task: GenerationTask) -> bool:
    row = list(GenerationTask.objects.filter(pk=task.pk).values())
    return text in str([row, list(TaskEvent.objects.filter(task=task.pk).values())])


def is_in_file(text: str, media: Path, image: GeneratedImage) -> bool:
    """Whether a JPEG has it in its EXIF comment."""
    return text.encode("utf-16-be") in (media / image.file).read_bytes()


def test_old_prompts_are_removed(media: Path, alice: User, worker: Worker, now: datetime) -> None:
    task = drawn_task(alice, worker, now - AGE, negative_prompt="rain")
    young = drawn_task(alice, worker, now)
    image = task.images.get()
    before = Image.open(media / image.file).tobytes()
    assert is_in_rows(SECRET, task)
    assert is_in_file(SECRET, media, image)

    assert prune_all(now).prompts == 1

    task.refresh_from_db()
    image.refresh_from_db()
    assert (task.prompt, task.negative_prompt, task.prompt_removed_at) == ("", "", now)
    assert task.search_text == f"\n{task.model.casefold()}"
    assert task.data["prompt_removed_at"] == round(now.timestamp(), 3)
    assert Image.open(media / image.file).tobytes() == before
    assert image.bytes == (media / image.file).stat().st_size
    young.refresh_from_db()
    assert young.prompt == SECRET
    assert files_in(media) == {image.file, young.images.get().file}
    assert not is_in_rows(SECRET, task)
    assert not is_in_file(SECRET, media, image)
    assert is_in_file("Steps: 9", media, image)
    assert prune_all(now).prompts == 0


def test_a_png_loses_its_prompt_too(media: Path, alice: User, now: datetime) -> None:
    task = finished_task(alice, now - AGE, pictures=0, prompt=SECRET)
    image = add_picture(task, 1, 7)
    GeneratedImage.objects.filter(pk=image.pk).update(file=image.file.replace(".jpg", ".png"))
    image.refresh_from_db()
    drawn = Picture(data=png(), format="PNG", width=512, height=512)
    store_file(image, task, drawn)

    prune_all(now)

    image.refresh_from_db()
    with Image.open(media / image.file) as opened:
        opened.load()
        text = opened.info["parameters"]
    assert text == selectors.parameters_text(GenerationTask.objects.get(pk=task.pk), seed=7)
    assert SECRET not in text


def test_the_search_no_longer_finds_it(
    media: Path, alice: User, worker: Worker, now: datetime
) -> None:
    drawn_task(alice, worker, now - AGE)
    wanted = GalleryFilter(text="lighthouse")
    assert len(selectors.gallery_page(alice, wanted, None)["items"]) == 1

    prune_all(now)

    assert selectors.gallery_page(alice, wanted, None)["items"] == []
    assert len(selectors.gallery_page(alice, GalleryFilter(), None)["items"]) == 1


def test_storage_counts_the_new_file(
    media: Path, alice: User, worker: Worker, now: datetime, settings: Settings
) -> None:
    settings.LIMIT_STORAGE = 10**9
    task = drawn_task(alice, worker, now - AGE)
    services.recount_storage()

    prune_all(now)

    assert LimitUsage.objects.get(owner=alice, kind="storage").used == task.images.get().bytes


def test_a_missing_file_does_not_keep_the_prompt(
    media: Path, alice: User, worker: Worker, now: datetime
) -> None:
    task = drawn_task(alice, worker, now - AGE)
    images.remove(task.images.get().file)

    assert prune_all(now).prompts == 1


def test_a_file_that_cannot_be_written_keeps_the_prompt(
    media: Path, alice: User, worker: Worker, now: datetime
) -> None:
    task = drawn_task(alice, worker, now - AGE)
    image = task.images.get()
    old = (media / image.file).read_bytes()
    task.prompt = ""
    text = selectors.parameters_text(task, seed=image.seed)
    sha256 = hashlib.sha256(images.with_other_parameters(old, text)).hexdigest()
    # a folder in the place of the new file cannot be replaced by it, even by root
    (media / f"{image.file.rpartition('-')[0]}-{sha256[:8]}.jpg" / "full").mkdir(parents=True)

    assert prune_all(now).failed == (str(task.pk),)

    task.refresh_from_db()
    assert (task.prompt, task.prompt_removed_at) == (SECRET, None)
    assert (media / image.file).read_bytes() == old


def test_a_damaged_picture_keeps_the_prompt(
    media: Path, alice: User, worker: Worker, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    damaged, other = (drawn_task(alice, worker, now - AGE) for _each in range(2))
    (media / damaged.images.get().file).write_bytes(b"\xff\xd8\xff\xe0")

    pruned = prune_all(now)

    assert (pruned.prompts, pruned.failed) == (1, (str(damaged.pk),))
    damaged.refresh_from_db()
    other.refresh_from_db()
    assert (damaged.prompt, other.prompt) == (SECRET, "")
    assert f"prompt_kept task={damaged.pk} cause=" in caplog.text
    assert SECRET not in caplog.text


def test_a_picture_that_cannot_be_read_keeps_the_prompt(
    media: Path, alice: User, worker: Worker, now: datetime
) -> None:
    """Its file may still have the prompt."""
    task = drawn_task(alice, worker, now - AGE)
    path = media / task.images.get().file
    path.unlink()
    # a folder cannot be read as a file, even by root
    path.mkdir()

    assert prune_all(now).failed == (str(task.pk),)


def test_two_prunes_of_one_task_keep_its_picture(
    media: Path, alice: User, worker: Worker, now: datetime
) -> None:
    task = drawn_task(alice, worker, now - AGE)
    others: list[Pruned] = []

    def prune_first(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Let another process remove the prompt after this one has written its file."""
        # SQLite locks with BEGIN, which is sent before the block counts as entered
        if not others and (connection.in_atomic_block or sql.startswith("BEGIN")):
            others.append(Pruned())
            others.extend(at_once(partial(prune_all, now)))
        return execute(sql, *rest)

    with connection.execute_wrapper(prune_first):
        prune_all(now)

    assert others[1].prompts == 1
    image = task.images.get()
    assert files_in(media) == {image.file}
    assert image.sha256 == hashlib.sha256((media / image.file).read_bytes()).hexdigest()
    assert not is_in_file(SECRET, media, image)


def test_a_picture_deleted_meanwhile_leaves_no_file(
    media: Path, alice: User, worker: Worker, now: datetime
) -> None:
    task = drawn_task(alice, worker, now - AGE)
    image = task.images.get()
    deleted: list[None] = []

    def delete_first(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if not deleted and (connection.in_atomic_block or sql.startswith("BEGIN")):
            deleted.append(None)
            at_once(GeneratedImage.objects.filter(pk=image.pk).delete)
            images.remove(image.file)
        return execute(sql, *rest)

    with connection.execute_wrapper(delete_first):
        assert prune_all(now).prompts == 1

    assert deleted
    assert files_in(media) == set()


def test_waiting_tasks_keep_their_prompts(alice: User, now: datetime) -> None:
    task = submit(alice, now - AGE, prompt=SECRET)

    assert prune_all(now).prompts == 0

    task.refresh_from_db()
    assert task.prompt == SECRET


def test_it_cannot_be_retried(alice: User, worker: Worker, now: datetime) -> None:
    task = failed_task(alice, worker, now - AGE)
    prune_all(now)

    with pytest.raises(InvalidInput) as refused:
        services.retry(task=task, key=None, now=now)

    assert refused.value.code == "prompt_empty"


def test_its_request_key_still_names_it(alice: User, now: datetime) -> None:
    request = Generate(prompt=SECRET, request_key=uuid.uuid4())
    task = services.submit(owner=alice, request=request, now=now - AGE).task
    services.request_cancel(task_id=task.pk, now=now - AGE)
    prune_all(now)

    again = services.submit(owner=alice, request=request, now=now)

    assert (again.duplicate, again.task.pk) == (True, task.pk)


def test_each_batch_leaves_the_rest(alice: User, now: datetime, settings: Settings) -> None:
    for _each in range(12):
        finished_task(alice, now - AGE, pictures=0)
    kept = selectors.days_kept([alice.pk])

    batch = services.prune_owners(kept, at=now, now=now)

    assert batch.prompts == 10
    assert GenerationTask.objects.filter(prompt_removed_at=None).count() == 2
    assert services.prune_owners(kept, at=now - timedelta(days=20), now=now).prompts == 0
