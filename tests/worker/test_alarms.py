"""Each alarm, made true for real: it is sent once by each channel, and so is its all-clear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import override_settings

from demo_xinference.faults import parse
from generation import services
from generation.alarms import AlarmWatcher, HeartbeatPing
from generation.alarms.alarm_messages import RUNBOOKS
from generation.choices import AlarmKind
from generation.clock import clock
from generation.models import (
    AlarmWatch,
    Incident,
    IncidentNotice,
    Installation,
    ModelServer,
    ModelState,
    Worker,
)
from generation.services import PauseLevel
from generation.webhooks import new_secret
from tests.conftest import MODEL
from tests.documents import anchors
from tests.factories import claim_one, fail, settle, submit
from tests.studio import ROOT
from tests.webhooks.receiver import FAILING, Receiver, receiving
from tests.worker.demo_worker import DemoWorker, StartWorker, probe

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("running_hub")]

SECRET = new_secret()
OPERATOR = "ops@mail.example"
LONG = 600.0
"""Seconds after which every cause has lasted long enough, and every all-clear is sent."""


@pytest.fixture
async def alerts() -> AsyncIterator[Receiver]:
    """What ALERT_URL receives. The address is private, and no network is allowed for webhooks."""
    async with receiving() as receiver:
        with override_settings(
            ALERT_URL=receiver.url,
            ALERT_SECRET=SECRET,
            ADMINS=[(OPERATOR, OPERATOR)],
            EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
            ALERT_FREE_SPACE=0,
        ):
            yield receiver


@pytest.fixture
async def watcher(alerts: Receiver) -> AsyncIterator[AlarmWatcher]:
    """Not started: the test takes its turns."""
    watcher = AlarmWatcher()
    yield watcher
    await watcher.stop()


@pytest.fixture
def start_worker(start_worker: StartWorker) -> StartWorker:
    """A worker that does not watch: it would send again what `pass_time` takes a lease of."""

    async def start(**options: Any) -> DemoWorker:
        demo_worker = await start_worker(**options)
        await demo_worker.runner.alarms.stop()
        return demo_worker

    return start


@database_sync_to_async
def pass_time(seconds: float) -> None:
    """Let what was seen until now be so many seconds older."""
    ago = timedelta(seconds=seconds)
    AlarmWatch.objects.update(due_at=F("due_at") - ago)
    Incident.objects.update(since=F("since") - ago)
    Incident.objects.update(clear_since=F("clear_since") - ago)
    IncidentNotice.objects.update(due_at=F("due_at") - ago)


async def turns(watcher: AlarmWatcher) -> None:
    """Three turns with a long time between: what lasts is sent, and what is over too."""
    for _number in range(3):
        await watcher.take_turn()
        await pass_time(LONG)


def received(alerts: Receiver) -> list[tuple[str, str, str]]:
    """(type, kind, subject) of each message, whose signature is checked."""
    contents = [request.verified(SECRET) for request in alerts.requests]
    return [(each["type"], each["data"]["kind"], each["data"]["subject"]) for each in contents]


async def expect(
    watcher: AlarmWatcher,
    alerts: Receiver,
    kind: AlarmKind,
    repair: Callable[[], Awaitable[Any]],
    subject: str = "",
) -> None:
    """The alarm is sent once however long it lasts; after `repair` its all-clear is."""
    await turns(watcher)
    assert received(alerts) == [("alert.opened", kind.value, subject)]
    assert len(mail.outbox) == 1

    await repair()
    await turns(watcher)
    assert received(alerts)[1:] == [("alert.closed", kind.value, subject)]
    assert len(mail.outbox) == 2
    assert {request.id for request in alerts.requests} == {
        f"alert_{await database_sync_to_async(only_incident)()}_{end}"
        for end in ("opened", "closed")
    }


def only_incident() -> int:
    return Incident.objects.get().pk


async def test_no_worker(
    watcher: AlarmWatcher, alerts: Receiver, start_worker: StartWorker
) -> None:
    demo_worker = await start_worker()
    await turns(watcher)
    assert received(alerts) == []

    await demo_worker.runner.drain()

    await expect(watcher, alerts, AlarmKind.NO_WORKER, start_worker)


async def test_a_killed_worker_counts_as_none(
    watcher: AlarmWatcher, alerts: Receiver, worker: Worker
) -> None:
    silent = Worker.objects.filter(pk=worker.pk)
    await database_sync_to_async(silent.update)(last_seen=clock.now() - timedelta(seconds=16))

    await turns(watcher)

    assert received(alerts) == [("alert.opened", "no_worker", "")]


async def test_a_model_that_is_down(
    watcher: AlarmWatcher, alerts: Receiver, start_worker: StartWorker
) -> None:
    demo_worker = await start_worker(faults=[parse({"do": "drop", "on": "models"})])

    async def repair() -> None:
        demo_worker.demo.faults.clear()
        await probe(demo_worker.runner)

    await expect(watcher, alerts, AlarmKind.MODEL_DOWN, repair, MODEL)


async def test_a_refused_key(
    watcher: AlarmWatcher, alerts: Receiver, start_worker: StartWorker
) -> None:
    """One alarm, although no model can be used either."""
    demo_worker = await start_worker(api_key="sk-another")
    refused = await ModelState.objects.aget()
    assert refused.error_code == "key_refused"

    async def repair() -> None:
        demo_worker.demo.key_check.api_key = ""
        await ModelServer.objects.aupdate(refused_key="", refused_until=None)
        await probe(demo_worker.runner)

    await expect(watcher, alerts, AlarmKind.KEY_REFUSED, repair)


async def test_a_disk_that_is_nearly_full(
    watcher: AlarmWatcher, alerts: Receiver, start_worker: StartWorker
) -> None:
    await start_worker()
    with override_settings(ALERT_FREE_SPACE=2**62):
        await expect_opened(watcher, alerts, AlarmKind.DISK_FULL)
    await turns(watcher)

    assert received(alerts)[1:] == [("alert.closed", "disk_full", "")]


async def expect_opened(watcher: AlarmWatcher, alerts: Receiver, kind: AlarmKind) -> None:
    await turns(watcher)
    assert received(alerts) == [("alert.opened", kind.value, "")]


async def test_a_disk_that_cannot_be_read(
    watcher: AlarmWatcher, alerts: Receiver, start_worker: StartWorker
) -> None:
    await start_worker()
    with override_settings(MEDIA_ROOT="/dev/full/media", ALERT_FREE_SPACE=1):
        await expect_opened(watcher, alerts, AlarmKind.DISK_FULL)

    cause = alerts.requests[0].verified(SECRET)["data"]["cause"]
    assert cause == "/dev/full/media 没有响应"


async def test_a_queue_that_does_not_move(
    watcher: AlarmWatcher, alerts: Receiver, alice: User, start_worker: StartWorker
) -> None:
    held = parse({"do": "hold", "seconds": 600})
    demo_worker = await start_worker(faults=[held])
    long_ago = clock.now() - timedelta(minutes=31)
    submitting = database_sync_to_async(submit)
    tasks = [await submitting(alice, long_ago) for _number in range(2)]
    demo_worker.runner.wake()
    async with asyncio.timeout(30):
        while not demo_worker.runner.runs:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def repair() -> None:
        cancel = database_sync_to_async(services.request_cancel)
        for task in tasks:
            await cancel(task_id=task.pk, now=clock.now())

    await expect(watcher, alerts, AlarmKind.OLDEST_WAIT, repair)


async def test_many_failures(
    watcher: AlarmWatcher, alerts: Receiver, alice: User, worker: Worker, model: str
) -> None:
    await sync_to_async(fail_tasks)(alice, worker, 4)
    await turns(watcher)
    assert received(alerts) == []
    await sync_to_async(fail_tasks)(alice, worker, 1)
    await turns(watcher)
    assert received(alerts) == [("alert.opened", "failure_rate", "")]


def fail_tasks(owner: User, worker: Worker, count: int) -> None:
    now = clock.now()
    services.heartbeat(worker_id=worker.pk, slot_ids=[], draining=False, now=now)
    for _number in range(count):
        submit(owner, now)
        claim = claim_one(worker, now)
        fail(claim, now)
        settle(claim, now)


@pytest.mark.usefixtures("model")
async def test_while_paused_nothing_is_wrong_with_the_queue(
    watcher: AlarmWatcher, alerts: Receiver, worker: Worker, alice: User
) -> None:
    await database_sync_to_async(submit)(alice, clock.now() - timedelta(hours=3))
    await database_sync_to_async(services.heartbeat)(
        worker_id=worker.pk, slot_ids=[], draining=False, paused=True, now=clock.now()
    )

    await turns(watcher)

    assert received(alerts) == []


async def test_a_receiver_that_fails_gets_it_again_and_mail_goes_on(
    watcher: AlarmWatcher, alerts: Receiver
) -> None:
    alerts.answers = [FAILING]

    await turns(watcher)
    await pass_time(LONG)
    await watcher.send_due()

    assert [request.id for request in alerts.requests] == 2 * [alerts.requests[0].id]
    assert len(mail.outbox) == 1
    notice = await IncidentNotice.objects.aget(channel="webhook")
    assert (notice.tries, notice.outcome, notice.due_at) == (2, "delivered 200", None)


async def test_a_message_that_cannot_be_made_holds_up_no_other(
    watcher: AlarmWatcher, alerts: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    now = clock.now()
    # as a newer version beside this one writes it
    newer = await Incident.objects.acreate(kind="newer", since=now, opened_at=now)
    await newer.notices.acreate(channel="mail", created=now, due_at=now)
    other = await Incident.objects.acreate(kind=AlarmKind.DISK_FULL, since=now, opened_at=now)
    await other.notices.acreate(channel="mail", created=now, due_at=now)

    await watcher.send_due()

    assert len(mail.outbox) == 1
    notice = await newer.notices.aget()
    assert (notice.tries, notice.sent_at) == (1, None)
    assert notice.outcome.startswith("ValueError")
    assert notice.due_at is not None
    assert "notice_failed channel=mail" in caplog.text


async def test_models_that_are_lost_together_are_one_message(
    watcher: AlarmWatcher, alerts: Receiver
) -> None:
    now = clock.now()
    for name in ("painter", "sketcher"):
        incident = await Incident.objects.acreate(
            kind=AlarmKind.MODEL_DOWN, subject=name, detail=f"{name} gone", since=now, opened_at=now
        )
        for channel in ("mail", "webhook"):
            await incident.notices.acreate(channel=channel, created=now, due_at=now)

    with override_settings(LANGUAGE_CODE="en"):
        await watcher.send_due()

    (letter,) = mail.outbox
    assert letter.subject.endswith(": painter and 1 more")
    for line in ("painter", "Cause: painter gone", "sketcher", "Cause: sketcher gone"):
        assert line in letter.body.splitlines()
    (request,) = alerts.requests
    (more,) = request.verified(SECRET)["data"]["more"]
    assert (more["subject"], more["cause"]) == ("sketcher", "sketcher gone")


@pytest.mark.parametrize("is_clone", [False, True])
async def test_a_copy_that_was_not_resumed_sends_no_alarms(
    watcher: AlarmWatcher, alerts: Receiver, tmp_path: Path, is_clone: bool
) -> None:
    """It has the addresses of the original, and none of its workers."""
    await database_sync_to_async(services.pause_level)()
    with override_settings(DATA_DIR=settings.DATA_DIR if is_clone else tmp_path):
        if is_clone:
            await database_sync_to_async(services.hold)()
        await turns(watcher)
        assert received(alerts) == []
        assert mail.outbox == []

        await database_sync_to_async(services.resume)(now=clock.now())
        await turns(watcher)
        assert received(alerts) == [("alert.opened", "no_worker", "")]


async def test_a_web_process_ties_the_database_to_no_data_dir(
    watcher: AlarmWatcher, alerts: Receiver
) -> None:
    await watcher.take_turn()

    assert not (await Installation.objects.aget()).settled


async def test_without_a_secret_messages_are_not_signed(
    watcher: AlarmWatcher, alerts: Receiver
) -> None:
    with override_settings(ALERT_SECRET=""):
        await turns(watcher)

    assert "webhook-signature" not in alerts.requests[0].headers


async def test_the_mail_is_in_the_language_of_the_installation(
    watcher: AlarmWatcher, alerts: Receiver
) -> None:
    with override_settings(LANGUAGE_CODE="en", TIME_ZONE="Asia/Shanghai"):
        await turns(watcher)

    (letter,) = mail.outbox
    assert letter.subject == "[LiuJuan Studio] Alarm: No worker is running"
    assert letter.to == [OPERATOR]
    assert "What to do: docs/operations.md#no-worker" in letter.body


async def test_the_command_tries_each_channel(
    alerts: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving_pings() as (url, pings):
        with override_settings(HEARTBEAT_URL=url, LANGUAGE_CODE="en"):
            await asyncio.to_thread(call_command, "test_alarms")

    assert capsys.readouterr().out.splitlines() == [
        "ALERT_URL: delivered 200",
        "ADMINS: sent",
        "HEARTBEAT_URL: delivered 200",
    ]
    assert alerts.requests[0].verified(SECRET)["type"] == "alert.test"
    assert mail.outbox[0].subject == "[LiuJuan Studio] Test of the alarms"
    assert len(pings) == 1
    assert not await Incident.objects.aexists()


async def test_the_command_fails_if_a_message_is_not_delivered(alerts: Receiver) -> None:
    alerts.usual = FAILING

    with pytest.raises(CommandError, match="Not delivered: ALERT_URL"):
        await asyncio.to_thread(call_command, "test_alarms")
    with override_settings(ALERT_URL="", ADMINS=[]), pytest.raises(CommandError, match="is set"):
        await asyncio.to_thread(call_command, "test_alarms")


async def test_a_process_without_a_channel_does_not_watch() -> None:
    with override_settings(ALERT_URL="", ADMINS=[]):
        watcher = AlarmWatcher()
        watcher.start()

    assert watcher.loop is None
    await watcher.stop()


async def test_a_web_without_a_worker_watches_by_itself(alerts: Receiver) -> None:
    watcher = AlarmWatcher()
    watcher.start()
    try:
        async with asyncio.timeout(30):
            while not await Incident.objects.aexists():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await pass_time(LONG)
        # the loop sends within its interval
        await alerts.received(1)
    finally:
        await watcher.stop()

    assert received(alerts) == [("alert.opened", "no_worker", "")]


async def test_a_worker_asks_the_heartbeat_url_unless_it_is_held_or_overdue(
    start_worker: StartWorker, caplog: pytest.LogCaptureFixture
) -> None:
    async with asyncio.timeout(30), serving_pings() as (url, pings):
        runner = (await start_worker()).runner
        with override_settings(HEARTBEAT_URL=url):
            await runner.ping_heartbeat_url()
            runner.pause.level = PauseLevel.ALL
            await runner.ping_heartbeat_url()
            runner.pause.level = PauseLevel.CLAIMS
            runner.last_heartbeat -= 3_600
            await runner.ping_heartbeat_url()

    assert pings == ["GET /ping/1234?a=b HTTP/1.1"]


async def test_a_heartbeat_url_that_fails_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ping = HeartbeatPing()
    with override_settings(HEARTBEAT_URL="http://127.0.0.1:9/secret-path"):
        await ping.ping()
        await ping.ping()
    await ping.close()

    assert caplog.text.count("heartbeat_url_down") == 1
    assert "secret-path" not in caplog.text


def serving_pings() -> Any:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def serving() -> AsyncIterator[tuple[str, list[str]]]:
        pings: list[str] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            pings.append(head.splitlines()[0])
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}/ping/1234?a=b", pings
        finally:
            server.close()

    return serving()


def test_every_alarm_has_a_heading_in_the_operations() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")

    assert set(RUNBOOKS) == set(AlarmKind)
    assert set(RUNBOOKS.values()) <= anchors(text)
