"""An upgrade from an older schema keeps every row, every token and the permissions of staff."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

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


def test_rows_tokens_and_permissions_survive_the_way_back_and_an_upgrade(
    alice: User, now: datetime
) -> None:
    """One way back and one upgrade, because each writes every migrated table again."""
    create_token(owner=alice, name="before", now=now)
    try:
        old = migrate(*BEFORE)
        names = old.get_model("generation", "ApiToken").objects.values_list("name")
        assert list(names) == [("before",)]
        create_old_tokens(old, alice, now)
        permission = give_old_permission(old, alice)
        task = create_old_task(old, alice, now)
    finally:
        upgrade()
    assert_tokens_work(alice, now)
    assert_permission_moved(alice, permission)
    assert_renamed_columns_kept_values(task, now)


def create_old_tokens(old: StateApps, owner: User, now: datetime) -> None:
    for number in range(3):
        row = {"digest": digest_of(f"lj-{number}"), "owner_id": owner.pk, "created": now}
        old.get_model("generation", "ApiToken").objects.create(name=f"script {number}", **row)


def assert_tokens_work(owner: User, now: datetime) -> None:
    names = [each.name for each in ApiToken.objects.order_by("pk")]
    assert names == ["before", "script 0", "script 1", "script 2"]
    for number in range(3):
        assert owner_of(f"lj-{number}", now) == owner
    token = create_token(owner=owner, name="new", now=now)
    assert owner_of(token, now) == owner


def owner_of(token: str, now: datetime) -> User | None:
    row = valid_token(token=token, now=now, address="192.0.2.7")
    return None if row is None else row.owner


def give_old_permission(old: StateApps, user: User) -> Permission:
    kinds = old.get_model("contenttypes", "ContentType").objects
    kind, _is_new = kinds.get_or_create(app_label="generation", model="apitoken")
    permission, _is_new = Permission.objects.get_or_create(
        content_type_id=kind.pk, codename="delete_apitoken", defaults={"name": "delete"}
    )
    user.user_permissions.add(permission)
    return permission


def assert_permission_moved(user: User, permission: Permission) -> None:
    person = User.objects.get(pk=user.pk)
    assert person.has_perm("accounts.delete_apitoken")
    assert not person.has_perm("generation.delete_apitoken")
    assert ContentType.objects.get_for_model(ApiToken).pk == permission.content_type_id


def create_old_task(old: StateApps, owner: User, now: datetime) -> UUID:
    asked = {"prompt": "LiuJuan", "model": "m", "width": 512, "height": 512, "steps": 9}
    row = {**asked, **OLD_COLUMNS, "not_before": now, "guidance": 0, "created": now}
    tasks = old.get_model("generation", "GenerationTask").objects
    key: UUID = tasks.create(owner_id=owner.pk, **row).pk
    return key


def assert_renamed_columns_kept_values(key: UUID, now: datetime) -> None:
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
