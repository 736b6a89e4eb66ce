"""From the end of a task to the receiver: what is sent, when, and how it is signed."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.mail import EmailMessage

from generation.choices import WebhookOutcome
from generation.models import GenerationTask, WebhookAttempt, WebhookCursor, Worker
from generation.outages import layer
from generation.worker.webhook_notice import send_notice
from generation.worker.webhook_sender import WebhookSender
from tests.factories import claim_one, complete, finished_task, put_in_trash, submit
from tests.webhooks.receiver import NewHook, Receiver, receiving

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


async def test_an_answer_of_410_turns_the_webhook_off_and_mails_its_owner(
    alice: User,
    worker: Worker,
    model: str,
    media: None,
    receiver: Receiver,
    new_hook: NewHook,
    now: datetime,
    settings: Any,
    mailoutbox: list[EmailMessage],
) -> None:
    settings.EMAIL_URL = "smtp://mail.example?from=studio@mail.example"
    await User.objects.filter(pk=alice.pk).aupdate(email="alice@mail.example")
    hook = await new_hook()
    receiver.usual = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"

    await sync_to_async(finished)(alice, worker, now)
    sender = WebhookSender(lambda: False, layer)
    await sender.begin_due()
    await asyncio.gather(*sender.sending)
    await sender.close()

    await hook.endpoint.arefresh_from_db()
    assert not hook.endpoint.enabled
    (mail,) = mailoutbox
    assert mail.to == ["alice@mail.example"]
    assert receiver.url in str(mail.body)


async def test_a_mail_that_fails_is_logged(
    alice: User, new_hook: NewHook, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:1?from=a@mail.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    alice.email = "alice@mail.example"
    hook = await new_hook()

    await sync_to_async(send_notice)(hook.endpoint)

    assert "mail_failed" in caplog.text


async def test_a_worker_that_is_paused_sends_nothing(
    alice: User,
    worker: Worker,
    model: str,
    media: None,
    receiver: Receiver,
    new_hook: NewHook,
    now: datetime,
) -> None:
    await new_hook()
    await sync_to_async(finished)(alice, worker, now)

    assert not await WebhookSender(lambda: True, layer).begin_due()
    assert await WebhookCursor.objects.acount() == 1


async def test_a_requested_message_about_a_deleted_task_says_so(
    alice: User, media: None, new_hook: NewHook, now: datetime
) -> None:
    hook = await new_hook()
    task = await sync_to_async(finished_task)(alice, now)
    await hook.endpoint.attempts.acreate(
        task=task, seq=1, kind="completed", is_requested=True, created=now
    )
    await sync_to_async(put_in_trash)(alice, now, tasks=[task])
    sender = WebhookSender(lambda: False, layer)

    await sender.begin_due()
    await asyncio.gather(*sender.sending)

    assert (await WebhookAttempt.objects.aget()).outcome == WebhookOutcome.TASK_DELETED
    assert not await sender.begin_due()


async def test_a_message_that_a_stopping_worker_did_not_finish_is_sent_again(
    alice: User,
    worker: Worker,
    model: str,
    media: None,
    receiver: Receiver,
    new_hook: NewHook,
    now: datetime,
) -> None:
    hook = await new_hook()
    receiver.answers = [None]
    await sync_to_async(finished)(alice, worker, now)
    stopping = WebhookSender(lambda: False, layer)
    assert await stopping.begin_due()
    (first,) = await receiver.received(1)

    await stopping.close()

    assert not await WebhookAttempt.objects.aexists()
    # its lease expires
    await WebhookCursor.objects.aupdate(due_at=now)
    other = WebhookSender(lambda: False, layer)
    assert await other.begin_due()
    _first, second = await receiver.received(2)
    assert second.id == first.id
    second.verified(hook.secret)
    await other.close()


async def test_a_slow_receiver_does_not_delay_those_of_others(
    alice: User,
    bob: User,
    worker: Worker,
    model: str,
    media: None,
    receiver: Receiver,
    new_hook: NewHook,
    sender: WebhookSender,
    now: datetime,
) -> None:
    async with receiving() as slow:
        slow.usual = None
        await new_hook(url=slow.url)
        await new_hook(owner=bob)
        for owner in (*[alice] * 6, bob):
            await sync_to_async(finished)(owner, worker, now)
        sender.wake()

        (request,) = await receiver.received(1)
        await slow.received(4)
        await sender.close()

    assert request.line == "POST /hook HTTP/1.1"
    assert len(slow.requests) == 4
