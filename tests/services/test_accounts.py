"""Deleting an account removes all of its data, after its tasks have ended, and nothing else."""

from __future__ import annotations

from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from accounts.models import ApiToken
from accounts.tokens import create_token
from generation import services
from generation.models import GenerationTask, ShareLink, TaskEvent
from generation.services import Claim
from tests.factories import files_in, finished_task, submit

pytestmark = pytest.mark.django_db(transaction=True)


def delete_account(*arguments: str) -> str:
    output = StringIO()
    call_command("delete_account", *arguments, stdout=output)
    return output.getvalue()


def test_all_data_of_one_account_goes(media: Path, alice: User, bob: User, now: datetime) -> None:
    mine = [finished_task(alice, now) for _each in range(3)]
    waiting = submit(alice, now)
    services.create_link(task=mine[0], now=now)
    create_token(owner=alice, name="", now=now)
    services.move_to_trash(owner=alice, pictures=[], tasks=[mine[1].pk], now=now)
    theirs = finished_task(bob, now)

    assert "Nothing was deleted" in delete_account("alice")
    assert User.objects.filter(username="alice").exists()
    delete_account("alice", "--yes")

    assert list(User.objects.values_list("username", flat=True)) == ["bob"]
    assert list(GenerationTask.objects.all()) == [theirs]
    assert not TaskEvent.objects.filter(task_id__in=[waiting.pk, mine[0].pk]).exists()
    assert ApiToken.objects.count() == ShareLink.objects.count() == 0
    assert {Path(name).parent.name for name in files_in(media)} == {str(theirs.pk)}


def test_a_running_task_is_stopped_first(claim: Claim, alice: User, now: datetime) -> None:
    with pytest.raises(CommandError, match="Unfinished tasks: 1"):
        delete_account("alice", "--yes", "--wait", "0")

    task = GenerationTask.objects.get(pk=claim.task.pk)
    assert task.cancel_requested_at is not None
    alice.refresh_from_db()
    assert not alice.is_active
