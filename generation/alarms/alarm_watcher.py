"""The loop that watches and sends: in every web and worker, but one process at a time does either.

When no worker lives, webs watch; when no web lives, workers do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from channels.db import database_sync_to_async
from django.conf import settings

from accounts.log_format import log_line
from generation import images, process_metrics, selectors, services
from generation.alarms.alarm_conditions import read_conditions
from generation.alarms.alarm_messages import AlarmMessage, mail_admins, message_of
from generation.alarms.trusted_client import TrustedClient
from generation.choices import AlertChannel
from generation.clock import clock
from generation.loops import every
from generation.outages import Outage, cause_of
from generation.own_connection import with_own_connection
from generation.pause_state import PauseState
from generation.shutdown import cancel_and_wait
from generation.slow_check import Check, answer_of
from generation.webhooks import signed_headers

logger = logging.getLogger(__name__)

TURN_INTERVAL = 5.0
"""Seconds between tries of this process to take a turn."""

MOST_IN_TURN = 20
"""Messages that are sent before the next turn."""

DISK_TIMEOUT = 5.0


class AlarmWatcher:
    """Watches only if there is a channel, so that an installation without one pays nothing.

    In a copy that was not resumed it does not: the copy has the addresses of the original.
    """

    def __init__(self, pause: PauseState | None = None) -> None:
        """`pause`: that of the worker, if it is in one."""
        self.pause = pause or PauseState(of_worker=False)
        self.http = TrustedClient()
        self.loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        if channels():
            job = every(TURN_INTERVAL, self.take_turn, Outage(logger, "alarms"), first=1.0)
            self.loop = asyncio.create_task(job, name="alarms")

    async def stop(self) -> None:
        await cancel_and_wait(self.loop)
        await self.http.close()

    async def take_turn(self) -> None:
        """Watch if it is time and no other process does; then send what is due."""
        await self.pause.refresh()
        if self.pause.is_held:
            return
        if await database_sync_to_async(services.take_turn)(now=clock.now()):
            await self.watch()
        await self.send_due()

    async def watch(self) -> None:
        space = await answer_of(space_check, DISK_TIMEOUT)
        await with_own_connection(record)(None if space is None else space[0])

    async def send_due(self) -> None:
        """Send messages one by one; each is claimed right before, so that its lease lasts."""
        claim = with_own_connection(services.claim_notices)
        for _number in range(MOST_IN_TURN):
            notices = await claim(channels=channels(), now=clock.now())
            if not notices:
                return
            channel = AlertChannel(notices[0].channel)
            delivered, outcome = await self.send(channel, partial(message_of, notices, clock.now()))
            process_metrics.ALERT_NOTICES.labels(
                channel, "delivered" if delivered else "failed"
            ).inc()
            await with_own_connection(services.record_notices)(
                notices, delivered=delivered, outcome=outcome, now=clock.now()
            )

    async def send(
        self, channel: AlertChannel, compose: Callable[[], AlarmMessage]
    ) -> tuple[bool, str]:
        """Whether it was delivered, and what to show staff.

        Any error is a failed try, so that one message never holds up those after it.
        """
        try:
            return await self.deliver(channel, compose())
        except Exception as error:  # noqa: BLE001
            cause = cause_of(error)
            logger.warning("%s", log_line("notice_failed", channel=channel, cause=cause))
            return False, cause[:200]

    async def deliver(self, channel: AlertChannel, message: AlarmMessage) -> tuple[bool, str]:
        if channel == AlertChannel.MAIL:
            await asyncio.to_thread(mail_admins, message)
            return True, ""
        headers = {}
        if settings.ALERT_SECRET:
            headers = signed_headers(
                secret=settings.ALERT_SECRET,
                message_id=message.message_id,
                body=message.body,
                now=clock.now(),
            )
        reply = await (await self.http.opened()).post(settings.ALERT_URL, message.body, headers)
        return reply.is_delivered, f"{reply.outcome} {reply.status or ''}".strip()


def no_space(error: Exception | None = None) -> None:
    """The disk does not answer."""


space_check: Check[tuple[int, int] | None] = Check(images.free_space, no_space, no_space, kept=0.0)


def channels() -> list[AlertChannel]:
    """The channels that the settings name."""
    named = {AlertChannel.WEBHOOK: settings.ALERT_URL, AlertChannel.MAIL: settings.ADMINS}
    return [channel for channel, target in named.items() if target]


def record(free_bytes: int | None) -> None:
    now = clock.now()
    conditions = read_conditions(free_bytes, selectors.installation_totals(now))
    services.record_alarms(
        alarms=conditions.alarms(), unknown=conditions.unknown(), channels=channels(), now=now
    )
