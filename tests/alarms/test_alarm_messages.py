"""Messages about alarms: receivers that fail, copies, languages, processes without a channel."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import override_settings

from generation import services
from generation.alarms import AlarmWatcher
from generation.alarms.alarm_messages import RUNBOOKS
from generation.choices import AlarmKind
from generation.clock import clock
from generation.models import (
    Incident,
    IncidentNotice,
    Installation,
)
from tests.alarms.alarm_turns import (
    LONG,
    OPERATOR,
    SECRET,
    pass_time,
    received,
    turns,
)
from tests.alarms.ping_server import serving_pings
from tests.documents import anchors
from tests.studio import ROOT
from tests.webhooks.receiver import FAILING, Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("running_hub")]


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


def test_every_alarm_has_a_heading_in_the_operations() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")

    assert set(RUNBOOKS) == set(AlarmKind)
    assert set(RUNBOOKS.values()) <= anchors(text)
