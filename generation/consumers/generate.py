"""`/ws/generate`: the browser's and the programs' socket, protocol 1 (docs/protocol.md)."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseProblem

from generation import protocol, selectors, services
from generation.choices import CHANGE_ALL, CloseCode, ErrorCode
from generation.consumers.flood import Bucket
from generation.consumers.signin import Credentials, Refused, credentials_of
from generation.exceptions import InvalidInput, NotFound, StudioError
from generation.hub import Outbox, hub
from generation.models import GenerationTask
from generation.protocol import Attach, Cancel, Detach, Generate, Ping, Retry
from generation.selectors import clock

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)

MAX_ATTACHED = 200
ASK_AGAIN = 60.0
"""Seconds after which an open socket's credentials are looked up again."""

ACK_MESSAGE = "任务已接收"


class GenerateConsumer(AsyncWebsocketConsumer):
    """Thin: authenticate, parse, one service or selector, answer. Events come from the hub.

    It has no layer channel of its own: the hub has one for the whole process.
    """

    channel_layer_alias = None  # type: ignore[assignment]

    credentials: Credentials
    user: User
    outbox: Outbox | None = None
    timer: asyncio.TimerHandle | None = None
    asking: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Accept first, so that a refusal has a close code that a page can read."""
        await self.accept()
        if hub.leaving:
            await self.shut(CloseCode.LEAVING)
            return
        try:
            await self.sign_in()
            if not hub.leaving:
                await self.enter()
        except Refused as refused:
            await self.shut(refused.close_code)
        except DatabaseProblem:
            await self.shut(CloseCode.LEAVING)

    async def sign_in(self) -> None:
        """Meanwhile the hub knows how to close us, but not yet who we are."""
        hub.arriving.add(self.shut)
        try:
            self.credentials = credentials_of(dict(self.scope))
            self.user = await self.credentials.user()
        finally:
            hub.arriving.discard(self.shut)

    async def enter(self) -> None:
        self.connection_id = uuid.uuid4().hex[:12]
        self.bucket = Bucket()
        self.outbox = Outbox(owner_id=self.user.pk, send=self.send_text, close=self.shut)
        await hub.register(self.outbox)
        self.ask_later()
        await self.say(
            {
                "type": "hello",
                "protocol": protocol.PROTOCOL_VERSION,
                "connection_id": self.connection_id,
                "server_time": round(time.time(), 3),
                "active": await database_sync_to_async(selectors.active_cursors)(self.user),
            }
        )

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without the look at old database connections that Channels takes before each message.

        It waits for the one database thread; a handshake must not, or Daphne gives it up after
        5 s. Every call to the database takes that look itself.
        """
        await getattr(self, get_handler_name(message))(message)

    async def send_text(self, text: str) -> None:
        await self.send(text_data=text)

    async def shut(self, code: int) -> None:
        # a plain int: the server's library refuses the enum
        await self.close(int(code))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Leave the hub however this ends: Channels calls disconnect() only after a clean close."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.timer is not None:
                self.timer.cancel()
            if self.asking is not None:
                self.asking.cancel()
            if self.outbox is not None:
                await hub.unregister(self.outbox)

    def ask_later(self) -> None:
        """A timer, not a task that sleeps: there is one for every idle socket."""

        def ask() -> None:
            self.asking = asyncio.create_task(self.ask_again())

        self.timer = asyncio.get_running_loop().call_later(ASK_AGAIN, ask)

    async def ask_again(self) -> None:
        """Signing out, a changed password or a disabled account ends open sockets too."""
        try:
            self.user = await self.credentials.user()
            await self.keep_what_may_be_seen()
        except Refused as refused:
            await self.shut(refused.close_code)
            return
        except Exception as error:  # noqa: BLE001  asked again in a minute
            logger.warning("credentials not looked up: %r", error)
        self.asking = None
        self.ask_later()

    async def keep_what_may_be_seen(self) -> None:
        """A permission that was taken away also ends what it had attached."""
        assert self.outbox is not None
        attached = list(self.outbox.cursors)
        visible = await database_sync_to_async(selectors.visible_among)(attached, self.user)
        for task_id in set(attached) - visible:
            hub.detach(self.outbox, task_id)

    async def say(self, frame: dict[str, Any]) -> None:
        assert self.outbox is not None
        await self.outbox.put(protocol.encode(frame))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.outbox is None:
            return
        if not self.bucket.take():
            await self.shut(CloseCode.FLOODING)
            return
        key: str | None = None
        try:
            message = self.parse(text_data)
            key = str(message.request_key) if message.request_key else None
            await self.handle(message)
        except InvalidInput as error:
            key = key or error.request_key
            await self.say(protocol.refusal(error.code, field=error.field, request_key=key))
        except StudioError as error:
            await self.say(protocol.refusal(error.code, request_key=key))
        except DatabaseProblem:
            logger.exception("socket %s: database", self.connection_id)
            await self.say(protocol.refusal(ErrorCode.UNAVAILABLE, request_key=key))

    def parse(self, text: str | None) -> protocol.ClientMessage:
        if text is None:
            raise InvalidInput(ErrorCode.BINARY_FRAME)
        if len(text.encode(errors="surrogatepass")) > protocol.MAX_TEXT_BYTES:
            raise InvalidInput(ErrorCode.TOO_LONG)
        return protocol.parse_client_message(text)

    async def handle(self, message: protocol.ClientMessage) -> None:
        handlers: dict[type[Any], Callable[[Any], Awaitable[None]]] = {
            Generate: self.generate,
            Attach: self.attach,
            Detach: self.detach,
            Cancel: self.cancel,
            Retry: self.retry,
            Ping: self.ping,
        }
        await handlers[type(message)](message)

    async def generate(self, message: Generate) -> None:
        await self.take(services.submit, owner=self.user, request=message)

    async def retry(self, message: Retry) -> None:
        task = await self.task(message.task_id, change=True)
        await self.take(services.retry, task=task, key=message.request_key)

    async def take(self, service: Callable[..., services.Submission], **values: Any) -> None:
        """Submit by `service`; its `ack` precedes everything else about the task."""
        assert self.outbox is not None
        if len(self.outbox.cursors) >= MAX_ATTACHED:
            raise InvalidInput(ErrorCode.TOO_MANY_ATTACHED)
        with self.outbox.holding_notices():
            submission = await database_sync_to_async(service)(now=clock.now(), **values)
            await self.acknowledge(submission, key=values.get("key"))

    async def acknowledge(
        self, submission: services.Submission, key: uuid.UUID | None = None
    ) -> None:
        """`ack` first, then the log from its beginning: no event precedes its ack."""
        task = submission.task
        key = key or task.request_key
        await self.say(
            {
                "type": "ack",
                "task_id": str(task.pk),
                "connection_id": self.connection_id,
                "message": ACK_MESSAGE,
                "request_key": str(key) if key else None,
                "duplicate": submission.duplicate,
                "task": task.data,
            }
        )
        assert self.outbox is not None
        # asked twice on this socket: it is attached already, and nothing is told twice
        if str(task.pk) not in self.outbox.cursors:
            await self.watch_task(task, after=0)
        await hub.tell_place(self.outbox, str(task.pk))

    async def attach(self, message: Attach) -> None:
        task = await self.task(message.task_id)
        assert self.outbox is not None
        if str(task.pk) not in self.outbox.cursors and len(self.outbox.cursors) >= MAX_ATTACHED:
            raise InvalidInput(ErrorCode.TOO_MANY_ATTACHED)
        await self.say(
            protocol.task_frame(task_id=str(task.pk), seq=task.newest_seq, task=task.data)
        )
        await self.watch_task(task, after=min(message.after, task.newest_seq))
        seq = self.outbox.cursors.get(str(task.pk), task.newest_seq)
        await self.say({"type": "live", "task_id": str(task.pk), "seq": seq})

    async def watch_task(self, task: GenerationTask, *, after: int) -> None:
        assert self.outbox is not None
        await hub.attach(self.outbox, task_id=str(task.pk), owner_id=task.owner_id, after=after)

    async def detach(self, message: Detach) -> None:
        task = await self.task(message.task_id)
        assert self.outbox is not None
        hub.detach(self.outbox, str(task.pk))

    async def cancel(self, message: Cancel) -> None:
        task = await self.task(message.task_id, change=True)
        answer = await database_sync_to_async(services.request_cancel)(
            task_id=task.pk, now=clock.now()
        )
        await self.say(
            {"type": "answer", "action": "cancel", "task_id": str(task.pk), "answer": answer}
        )

    async def ping(self, message: Ping) -> None:
        assert self.outbox is not None
        cursors = dict(self.outbox.cursors)
        await self.say({"type": "pong", "cursors": cursors, "server_time": round(time.time(), 3)})
        for task_id in message.cursors.keys() & cursors.keys():
            hub.remind(self.outbox, task_id)

    async def task(self, task_id: str, *, change: bool = False) -> GenerationTask:
        """The task, asked at the row; to change it one must own it or may change all."""
        return await database_sync_to_async(self.visible)(task_id, change)

    def visible(self, task_id: str, change: bool) -> GenerationTask:
        task = selectors.visible_task(task_id, self.user)
        if change and task.owner_id != self.user.pk and not self.user.has_perm(CHANGE_ALL):
            raise NotFound
        return task
