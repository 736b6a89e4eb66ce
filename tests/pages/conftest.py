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
from tests.rows import copies


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
    first = submit(alice, now - 3_000 * timedelta(seconds=1))
    submit(alice, now - 3_001 * timedelta(seconds=1))
    submit(alice, now - 3_002 * timedelta(seconds=1))
    over = {"status": TaskStatus.COMPLETED, "progress": 100, "finished_at": now}
    tasks = copies(
        first,
        (
            {**over, "owner_id": owner.pk, "created": now - k * timedelta(seconds=1)}
            for k in range(2_500)
            for owner in (alice, bob)
        ),
    )
    GeneratedImage.objects.bulk_create(
        GeneratedImage(
            task=task,
            index=1,
            file=f"{task.pk}/1.jpg",
            sha256="0",
            width=512,
            height=512,
            seed=1_000_000 + k,
            bytes=1,
            favourite=k in (4, 4_000, 4_001),
        )
        for k, task in enumerate(tasks)
    )
    analyze("generation_generationtask", "generation_generatedimage")
    return tasks[::2]
