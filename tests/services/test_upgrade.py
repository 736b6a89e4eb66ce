"""An upgrade from an older schema keeps every row, every token and the permissions of staff."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps

from accounts.models import ApiToken
from accounts.token_hashing import digest_of
from accounts.tokens import create_token, valid_token
from generation.models import GenerationTask

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = [("accounts", None), ("generation", "0011_collection")]


def migrate(*targets: tuple[str, str | None]) -> StateApps:
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets))
    applied = [(app, name) for app, name in targets if name is not None]
    return MigrationExecutor(connection).loader.project_state(applied).apps


def upgrade() -> None:
    migrate(*MigrationExecutor(connection).loader.graph.leaf_nodes())
    ContentType.objects.clear_cache()


@pytest.fixture
def before() -> Iterator[StateApps]:
    """The apps and the schema of the version before; the newest ones afterwards."""
    try:
        yield migrate(*BEFORE)
    finally:
        upgrade()


def test_tokens_work_after_the_upgrade(before: StateApps, alice: User, now: datetime) -> None:
    rows = before.get_model("generation", "ApiToken").objects
    for number in range(3):
        row = {"digest": digest_of(f"lj-{number}"), "owner_id": alice.pk, "created": now}
        rows.create(name=f"script {number}", **row)

    upgrade()

    assert [each.name for each in ApiToken.objects.order_by("pk")] == [
        "script 0",
        "script 1",
        "script 2",
    ]
    for number in range(3):
        assert owner_of(f"lj-{number}", now) == alice
    token = create_token(owner=alice, name="new", now=now)
    assert owner_of(token, now) == alice


def owner_of(token: str, now: datetime) -> User | None:
    row = valid_token(token=token, now=now, address="192.0.2.7")
    return None if row is None else row.owner


def test_staff_keep_their_permissions(before: StateApps, alice: User) -> None:
    old = before.get_model("contenttypes", "ContentType").objects
    kind, _is_new = old.get_or_create(app_label="generation", model="apitoken")
    permission, _is_new = Permission.objects.get_or_create(
        content_type_id=kind.pk, codename="delete_apitoken", defaults={"name": "delete"}
    )
    alice.user_permissions.add(permission)

    upgrade()

    person = User.objects.get(pk=alice.pk)
    assert person.has_perm("accounts.delete_apitoken")
    assert not person.has_perm("generation.delete_apitoken")
    assert ContentType.objects.get_for_model(ApiToken).pk == kind.pk


OLD_COLUMNS = {
    "n": 3,
    "seed": 7,
    "drawn_seed": 9,
    "expected": {"generating": 1.5},
    "measured": {"generating": 2.5},
    "image": 2,
    "counted_ends": 1,
    "free_ends": 4,
}


def test_renamed_columns_keep_values(before: StateApps, alice: User, now: datetime) -> None:
    asked = {"prompt": "LiuJuan", "model": "m", "width": 512, "height": 512, "steps": 9}
    row = {**asked, **OLD_COLUMNS, "not_before": now, "guidance": 0, "created": now}
    key = (
        before.get_model("generation", "GenerationTask").objects.create(owner_id=alice.pk, **row).pk
    )

    upgrade()

    task = GenerationTask.objects.get(pk=key)
    assert (task.image_count, task.current_image) == (3, 2)
    assert (task.requested_seed, task.seed) == (7, 9)
    assert task.expected_durations == {"generating": 1.5}
    assert task.measured_durations == {"generating": 2.5}
    assert (task.failed_attempts, task.uncounted_interruptions) == (1, 4)
    assert task.retry_at == now
    for wrong in ({"image_count": 5}, {"requested_seed": 2**32}):
        with pytest.raises(IntegrityError):
            GenerationTask.objects.filter(pk=key).update(**wrong)


def test_the_way_back_keeps_tokens_too(alice: User, now: datetime) -> None:
    create_token(owner=alice, name="script", now=now)
    try:
        names = migrate(*BEFORE).get_model("generation", "ApiToken").objects.values_list("name")
        assert list(names) == [("script",)]
    finally:
        upgrade()
