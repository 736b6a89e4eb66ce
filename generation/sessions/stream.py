"""Server-sent events: one endless response with the events of all tasks of a user."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from itertools import islice
from time import monotonic

from channels.db import database_sync_to_async
from django.db import Error as DatabaseProblem

from accounts.log_context import new_context
from generation import process_metrics, selectors
from generation.exceptions import NotFound
from generation.hub import INTERNAL_ERROR, StreamOutbox, hub
from generation.limits import MAX_NAMED
from generation.models import GenerationTask
from generation.outages import database
from generation.protocol.close_codes import CloseCode
from generation.selectors import LogPage
from generation.sessions.authentication import ConnectionRejected, Credentials
from generation.sessions.rate_limit import allows_request
from generation.sessions.session import Session
from generation.sessions.subscriber import HubSubscriber
from generation.shutdown import cancel_and_wait

logger = logging.getLogger(__name__)

MAX_STREAMS = 4
"""Per user and process: a browser opens six connections to one host over HTTP/1.1, and pages,
pictures and messages need some of them."""

KEEPALIVE_INTERVAL = 15.0
"""Seconds without frames after which an `alive` event is sent."""

ID_INTERVAL = 1.0
"""Seconds between two events with an id, which holds the client's cursors."""

RETRY_MILLISECONDS = 500
"""Reconnection time for EventSource."""

PREAMBLE = f":{' ' * 2 * 1024}\nretry: {RETRY_MILLISECONDS}\n\n"
"""Some proxies and filters pass nothing on before they have received 2 KiB."""


class StreamSubscriber(HubSubscriber[StreamOutbox]):
    """Follows all tasks of its user without being asked."""

    async def follow_known(
        self, session: Session, cursors: Mapping[str, int], since: datetime | None
    ) -> None:
        """Send `hello`, then follow unfinished tasks and those that have events unknown there."""
        tasks = await session.send_hello(cursors, since)
        hub.send_limits(self.outbox.owner_id)
        task_ids = [str(task.pk) for task in tasks]
        self.outbox.expect(task_ids, instead_of=cursors)
        with hub.expecting(self.outbox, task_ids):
            newest = await database_sync_to_async(selectors.newest_seqs)(task_ids)
            for task in tasks:
                seq, _is_over = newest.get(str(task.pk), (task.newest_seq, True))
                # the group of another owner is not joined yet: read the log after that
                own = task.owner_id == self.outbox.owner_id
                await self.introduce(session, task, seq if own else None)

    async def follow_discovered(self, session: Session) -> None:
        while True:
            await self.outbox.has_found.wait()
            self.outbox.has_found.clear()
            discovered = list(self.outbox.found)
            for task_id in discovered:
                try:
                    await self.introduce(session, await session.task(task_id), None)
                except NotFound:
                    self.outbox.found.pop(task_id, None)
            hub.publish_positions_of(list(filter(self.outbox.is_attached, discovered)))

    async def introduce(self, session: Session, task: GenerationTask, newest: int | None) -> None:
        """Send the task and stay attached; its log is not read if the client has `newest`."""
        began = monotonic()
        after = min(self.outbox.found.get(str(task.pk), 0), task.newest_seq)
        first = None if newest is None else LogPage(frames=[], more=newest > after)
        await session.send_task(task, after=after, first=first)
        kind = "reattach" if after else "attach"
        process_metrics.ATTACH.labels("stream", kind).observe(monotonic() - began)
        self.outbox.found.pop(str(task.pk), None)


class EventStream:
    """One event stream: `run` finds and attaches tasks, `chunks` writes their frames.

    `run` has a context of its own: in the request's context every database call would use the
    request's thread and keep a connection open there for as long as the stream lasts.
    """

    def __init__(
        self, credentials: Credentials, cursors: Mapping[str, int], since: datetime | None = None
    ) -> None:
        self.credentials = credentials
        self.cursors = cursors
        self.since = since
        self.subscriber: StreamSubscriber | None = None
        self.ready = asyncio.Event()
        self.code: int | None = None
        self.id_sent_at = 0.0

    async def chunks(self) -> AsyncGenerator[str]:
        runner = asyncio.create_task(self.run(), context=new_context())
        try:
            yield PREAMBLE
            await self.ready.wait()
            while self.subscriber is not None and self.code is None:
                outbox = self.subscriber.outbox
                frames = await outbox.fetch(within=KEEPALIVE_INTERVAL)
                if self.code is None:
                    yield self.encode_events(frames, outbox)
            yield sse_event("close", json.dumps({"code": self.code}))
        finally:
            await cancel_and_wait(runner)
            if self.subscriber is not None:
                await self.subscriber.close()

    async def end(self, code: int) -> None:
        """End the stream; `code` is sent in its `close` event."""
        self.code = self.code or int(code)
        self.ready.set()
        if self.subscriber is not None:
            self.subscriber.outbox.wake()

    async def run(self) -> None:
        try:
            await self.enter()
        except ConnectionRejected as rejected:
            await self.end(rejected.close_code)
        except DatabaseProblem as error:
            database.is_outage(error)
            await self.end(CloseCode.LEAVING)
        except Exception:
            logger.exception("an event stream ends")
            await self.end(INTERNAL_ERROR)

    async def enter(self) -> None:
        """Authenticate, send `hello`, and follow tasks until cancelled."""
        signed_in = None if hub.leaving else await self.credentials.sign_in()
        if signed_in is None or hub.leaving:
            raise ConnectionRejected(CloseCode.LEAVING)
        user = signed_in.user
        too_many = streams_of(user.pk) >= MAX_STREAMS or not hub.has_room(user.pk)
        if too_many or not allows_request(user.pk):
            raise ConnectionRejected(CloseCode.FLOODING)
        outbox = StreamOutbox(owner_id=user.pk, close=self.end, known=self.cursors)
        self.subscriber = StreamSubscriber(outbox)
        session = Session(signed_in, self.subscriber)
        await self.subscriber.open(session)
        self.ready.set()
        await self.subscriber.follow_known(session, self.cursors, self.since)
        await self.subscriber.follow_discovered(session)

    def encode_events(self, frames: list[str], outbox: StreamOutbox) -> str:
        """The frames as server-sent events; the last one has an id every ID_INTERVAL seconds."""
        lines = [f"data: {frame}\n\n" for frame in frames]
        if not lines:
            lines = [sse_event("alive", "{}")]
        now = monotonic()
        if now - self.id_sent_at >= ID_INTERVAL:
            self.id_sent_at = now
            lines[-1] = f"id: {event_id(outbox.known())}\n{lines[-1]}"
        return "".join(lines)


def streams_of(owner_id: int) -> int:
    return sum(outbox.follows_new_tasks for outbox in hub.outboxes.get(owner_id, ()))


def sse_event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"


def event_id(known: dict[str, int]) -> str:
    """`known` as JSON, at most MAX_NAMED tasks: those with the longest logs to send again."""
    longest = sorted(known.items(), key=lambda item: item[1], reverse=True)
    return json.dumps(dict(islice(longest, MAX_NAMED)), separators=(",", ":"))
