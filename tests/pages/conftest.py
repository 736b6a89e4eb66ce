"""Full rate limits before each test, clients of the admin, and a user with many tasks."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from generation.choices import TaskStatus
from generation.models import GeneratedImage, GenerationTask
from generation.sessions import owner_buckets, request_buckets
from generation.views.zip_download import Zip
from tests.factories import submit
from tests.pages.page_clients import signed_in
from tests.query_plans import analyze
from tests.rows import copy_picture, copy_task

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def full_buckets() -> None:
    request_buckets.by_owner.clear()
    owner_buckets.by_owner.clear()
    Zip.under_way.clear()


@pytest.fixture
def staff(rita: User) -> Client:
    return signed_in(rita, "en")


@pytest.fixture
def operator(rita: User) -> Client:
    rita.user_permissions.add(Permission.objects.get(codename="change_generationtask"))
    return signed_in(User.objects.get(pk=rita.pk), "en")


@pytest.fixture
def root(db: None) -> Client:
    return signed_in(User.objects.create_superuser("root"), "en")


@pytest.fixture
def history(alice: User, bob: User, now: datetime) -> list[GenerationTask]:
    """2,500 finished tasks of Alice with a picture each, newest first, as many of Bob, and 3
    unfinished ones that are older."""
    for second in range(3_000, 3_003):
        submit(alice, now - second * SECOND)
    over = {"status": TaskStatus.COMPLETED, "progress": 100, "finished_at": now}
    for owner in (alice, bob):
        done = submit(owner, now)
        GenerationTask.objects.filter(pk=done.pk).update(**over)
        copy_task(done, 2_499)
    tasks = GenerationTask.objects.filter(status=TaskStatus.COMPLETED).order_by("-created")
    newest, *_others = alices = list(tasks.filter(owner=alice))
    picture = {"file": "1.jpg", "sha256": "0", "width": 512, "height": 512, "bytes": 1}
    copy_picture(GeneratedImage.objects.create(task=newest, index=1, seed=1_000_000, **picture))
    loved = [alices[2], alices[2_000], tasks.filter(owner=bob)[2_000]]
    GeneratedImage.objects.filter(task__in=loved).update(favourite=True)
    analyze("generation_generationtask", "generation_generatedimage")
    return alices
