"""From the end of a task to the receiver: what is sent, when, and how it is signed."""

from __future__ import annotations

from datetime import datetime

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from generation.models import GenerationTask, Worker
from generation.worker.webhook_sender import WebhookSender
from tests.factories import claim_one, complete, submit
from tests.webhooks.receiver import NewHook, Receiver

pytestmark = pytest.mark.django_db(transaction=True)


def finished(owner: User, worker: Worker, now: datetime) -> GenerationTask:
    task = submit(owner, now)
    complete(claim_one(worker, now), now)
    return task


async def test_the_end_of_a_task_is_sent_signed(
    alice: User,
    worker: Worker,
    model: str,
    media: None,
    receiver: Receiver,
    new_hook: NewHook,
    sender: WebhookSender,
    now: datetime,
) -> None:
    hook = await new_hook()

    task = await sync_to_async(finished)(alice, worker, now)
    (request,) = await receiver.received(1)

    content = request.verified(hook.secret)
    assert content["type"] == "task.completed"
    assert content["data"]["id"] == str(task.pk)
    assert content["data"]["status"] == "completed"
    assert content["data"]["urls"]["self"].endswith(f"/api/v1/tasks/{task.pk}")
    (picture,) = content["data"]["pictures"]
    assert picture["url"].endswith(f"/pictures/{task.pk}/1/")
    assert request.id.startswith(f"msg_{task.pk}_")
    assert request.line == "POST /hook HTTP/1.1"
