"""Handles client messages and sends the answers; the same for sockets and HTTP."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async
from django.db import Error as DatabaseProblem

from accounts.credentials import SignedIn
from accounts.security_log import SecurityEvent, log_event
from generation import protocol, selectors, services
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import (
    InvalidInput,
    LimitReached,
    NotFound,
    ScopeMissing,
    StudioError,
)
from generation.limits import MAX_MESSAGE_BYTES
from generation.models import GenerationTask
from generation.outages import database
from generation.protocol import Attach, Cancel, Detach, Generate, Ping, Retry
from generation.selectors import LogPage
from generation.sessions.subscriber import Subscriber
from generation.staff_permissions import CHANGE_ALL

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)

CHANGES = (Generate, Cancel, Retry)
"""Messages for which a token must be allowed to write."""

ACK_MESSAGE = "任务已接收"


class Session:
    """One authenticated user: each client message calls one service or selector."""

    __slots__ = ("connection_id", "signed_in", "subscriber")

    def __init__(self, signed_in: SignedIn, subscriber: Subscriber) -> None:
        self.signed_in = signed_in
        self.connection_id = uuid.uuid4().hex[:12]
        self.subscriber = subscriber

    @property
    def user(self) -> User:
        return self.signed_in.user

    def hello(self, active: list[dict[str, Any]], *, now: datetime) -> dict[str, Any]:
        """The `hello` frame.

        `active`: [{task_id, seq}] of the user's unfinished tasks, oldest first, read at `now` or
        later.
        """
        return {
            "type": "hello",
            "protocol": protocol.PROTOCOL_VERSION,
            "connection_id": self.connection_id,
            "server_time": round(now.timestamp(), 3),
            "active": active,
        }

    async def task(self, task_id: str, *, change: bool = False) -> GenerationTask:
        """The task, read from the database; NotFound if the user may not see or change it."""
        return await database_sync_to_async(self.load)(task_id, change)

    def load(self, task_id: str, change: bool = False) -> GenerationTask:
        task = selectors.visible_task(task_id, self.user)
        if change and task.owner_id != self.user.pk and not self.user.has_perm(CHANGE_ALL):
            log_event(
                SecurityEvent.PERMISSION_REFUSED,
                account=self.user.get_username(),
                address=self.signed_in.address,
                task=task_id,
            )
            raise NotFound
        return task

    async def handle(self, text: str | None) -> None:
        """Answer one message; errors become `error` frames."""
        key: str | None = None
        try:
            message = self.parse(text)
            key = str(message.request_key) if message.request_key else None
            await self.dispatch(message)
        except LimitReached as error:
            self.subscriber.note_reached(error)
            await self.refuse(error.code, key, data=error.data)
        except InvalidInput as error:
            key = key or error.request_key
            await self.refuse(error.code, key, field=error.field, data=error.data)
        except StudioError as error:
            await self.refuse(error.code, key)
        except DatabaseProblem as error:
            if not database.is_outage(error):
                logger.exception("connection %s: database", self.connection_id)
            await self.refuse(ErrorCode.UNAVAILABLE, key)

    async def refuse(self, code: ErrorCode, key: str | None, **more: Any) -> None:
        await self.subscriber.send(protocol.refusal(code, request_key=key, **more))

    def parse(self, text: str | None) -> protocol.ClientMessage:
        if text is None:
            raise InvalidInput(ErrorCode.BINARY_FRAME)
        if len(text.encode(errors="surrogatepass")) > MAX_MESSAGE_BYTES:
            raise InvalidInput(ErrorCode.TOO_LONG)
        return protocol.parse_client_message(text)

    async def dispatch(self, message: protocol.ClientMessage) -> None:
        if isinstance(message, CHANGES) and not self.signed_in.credential.may_write:
            raise ScopeMissing
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
        await self.submit_by(services.submit, owner=self.user, request=message)

    async def retry(self, message: Retry) -> None:
        task = await self.task(message.task_id, change=True)
        service = partial(services.retry_by, self.user, address=self.signed_in.address)
        await self.submit_by(service, task=task, key=message.request_key)

    async def submit_by(self, service: Callable[..., services.Submission], **values: Any) -> None:
        """Submit a task with `service` and send its `ack` before any other frame of the task."""
        with self.subscriber.submitting():
            submission = await database_sync_to_async(service)(now=clock.now(), **values)
            self.subscriber.note_limits(submission.allowances)
            await self.acknowledge(submission, key=values.get("key"))

    async def acknowledge(
        self, submission: services.Submission, key: uuid.UUID | None = None
    ) -> None:
        """Send `ack`, then follow the task, so that no event precedes the ack."""
        task = submission.task
        key = key or task.request_key
        await self.subscriber.send(
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
        await self.subscriber.follow_new(task)

    async def attach(self, message: Attach) -> None:
        await self.subscriber.attach(self, message.task_id, after=message.after)

    async def send_hello(
        self, cursors: Mapping[str, int], since: datetime | None
    ) -> list[GenerationTask]:
        """Send `hello`; return the tasks with news for a client that has these `cursors`."""
        now = clock.now()
        tasks = await database_sync_to_async(selectors.tasks_to_follow)(
            self.user, cursors, since=since
        )
        active = selectors.active_among(tasks, self.user)
        await self.subscriber.send(self.hello(active, now=now))
        return tasks

    async def send_task(
        self,
        task: GenerationTask,
        *,
        after: int,
        first: LogPage | None = None,
        introduce: bool = True,
    ) -> None:
        """Send `task` (if `introduce`), the events after `after`, and `live`."""
        task_id, after = str(task.pk), min(after, task.newest_seq)
        if introduce:
            await self.subscriber.send(
                protocol.task_frame(task_id=task_id, seq=task.newest_seq, task=task.data)
            )
        seq = await self.subscriber.follow(task, after=after, first=first)
        await self.subscriber.send({"type": "live", "task_id": task_id, "seq": seq})

    async def detach(self, message: Detach) -> None:
        task = await self.task(message.task_id)
        self.subscriber.unfollow(str(task.pk))

    async def cancel(self, message: Cancel) -> None:
        task = await self.task(message.task_id, change=True)
        answer = await database_sync_to_async(services.cancel_by)(
            self.user, task=task, now=clock.now(), address=self.signed_in.address
        )
        await self.subscriber.send(
            {"type": "answer", "action": "cancel", "task_id": str(task.pk), "answer": answer}
        )

    async def ping(self, message: Ping) -> None:
        now = clock.now()
        cursors = await self.subscriber.cursors(message.cursors, self.user)
        await self.subscriber.send(
            {"type": "pong", "cursors": cursors, "server_time": round(now.timestamp(), 3)}
        )
        self.subscriber.resend_missing(message.cursors.keys() & cursors.keys())
