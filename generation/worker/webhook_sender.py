"""Sends messages to webhooks. Only workers do: web processes wait for no receiver."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import ParamSpec, TypeVar

from django.conf import settings

from generation import process_metrics, selectors, services
from generation.choices import WebhookOutcome
from generation.clock import clock
from generation.outages import Outage, database
from generation.own_connection import with_own_connection
from generation.services import WebhookMessage
from generation.shutdown import cancel_and_wait, finish_within
from generation.task_resource import task_resource
from generation.webhooks import configured_targets, signed_headers
from generation.webhooks.webhook_client import WebhookClient, WebhookReply
from generation.worker.webhook_notice import send_notice

LOOK_INTERVAL = 1.0
"""Seconds between reads of the tables, because events of other processes do not wake this one."""

MOST_AT_ONCE = 32
CLAIMS_AT_ONCE = 8
PER_OWNER = 4
"""Requests at once; a slow receiver does not delay those of other users."""

CLOSE_TIMEOUT = 2.0

START_WITHIN = timedelta(seconds=15)
"""A request that begins later could outlive its lease, and another worker send it too."""


P = ParamSpec("P")
T = TypeVar("T")


class WebhookSender:
    """`is_held`: whether this worker must send nothing now."""

    def __init__(self, is_held: Callable[[], bool], outage: Outage) -> None:
        self.is_held = is_held
        self.outage = outage
        self.woken = asyncio.Event()
        self.client: WebhookClient | None = None
        self.database = asyncio.Lock()
        self.sending: dict[asyncio.Task[None], int] = {}

    def wake(self) -> None:
        self.woken.set()

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        while True:
            try:
                while await self.begin_due():
                    pass
                self.outage.worked()
            except Exception as error:  # noqa: BLE001
                if not database.is_outage(error):
                    self.outage.failed(error)
            try:
                async with asyncio.timeout(LOOK_INTERVAL):
                    await self.woken.wait()
            except TimeoutError:
                pass
            self.woken.clear()

    async def begin_due(self) -> bool:
        """Begin requests that are due; whether more may be."""
        room = MOST_AT_ONCE - len(self.sending)
        if room <= 0 or self.is_held():
            return False
        messages = await self.in_database(
            services.claim_messages,
            running=Counter(self.sending.values()),
            per_owner=PER_OWNER,
            most=min(room, CLAIMS_AT_ONCE),
            now=clock.now(),
        )
        for message in messages:
            task = asyncio.create_task(self.send_safely(message), name=f"webhook {message.id}")
            self.sending[task] = message.owner_id
            task.add_done_callback(self.sent)
        return bool(messages)

    def sent(self, task: asyncio.Task[None]) -> None:
        del self.sending[task]
        self.wake()

    async def send_safely(self, message: WebhookMessage) -> None:
        """An error leaves the message to its lease."""
        try:
            await self.send(message)
        except Exception as error:  # noqa: BLE001
            if not database.is_outage(error):
                self.outage.failed(error)

    async def send(self, message: WebhookMessage) -> None:
        body = await self.in_database(body_of, message)
        if body is None:
            await self.in_database(services.record_unsent, message)
            return
        if clock.now() - message.started_at > START_WITHIN:
            return
        if message.secret is None:
            reply = WebhookReply(outcome=WebhookOutcome.UNSIGNED, seconds=0.0)
        else:
            headers = signed_headers(
                secret=message.secret, message_id=message.id, body=body, now=clock.now()
            )
            reply = await (await self.opened()).post(message.url, body, headers)
        process_metrics.WEBHOOK_DELIVERIES.labels(reply.outcome.value).inc()
        turned_off = await self.in_database(
            services.record_message,
            message,
            outcome=reply.outcome,
            seconds=reply.seconds,
            status=reply.status,
            excerpt=reply.excerpt,
            is_unwanted=reply.is_unwanted,
            now=clock.now(),
        )
        if turned_off is not None:
            await with_own_connection(send_notice)(turned_off)

    async def in_database(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call outside the database thread, which heartbeats and events of runs wait for.

        One call at a time, so that webhooks never use up the connections of the process.
        """
        async with self.database:
            return await with_own_connection(call)(*args, **kwargs)

    async def opened(self) -> WebhookClient:
        """The client, made with the first message: certificates take a while to load."""
        if self.client is None:
            made = await asyncio.to_thread(WebhookClient, configured_targets())
            self.client = self.client or made
        return self.client

    async def close(self) -> None:
        """Stop requests; their messages are sent again by another worker."""
        await cancel_and_wait(*self.sending)
        if self.client is not None:
            await finish_within(CLOSE_TIMEOUT, self.client.aclose(), name="closing webhooks")


def body_of(message: WebhookMessage) -> str | None:
    """The JSON text of a message; None if its task was deleted."""
    data: dict[str, object] = {}
    if message.task_id is not None:
        task = selectors.task_of(message.task_id)
        if task is None or task.deleted_at is not None:
            return None
        data = task_resource(selectors.card_of(task, now=clock.now()), absolute_url)
    content = {
        "type": message.type,
        "timestamp": message.occurred_at.isoformat(),
        "data": data,
    }
    return json.dumps(content, ensure_ascii=False)


def absolute_url(path: str) -> str:
    """The URL of a path of the site: below PUBLIC_URL, else on this machine."""
    base: str = settings.SITE_URLS[0]
    return f"{base}{path.removeprefix(settings.BASE_PATH)}"
