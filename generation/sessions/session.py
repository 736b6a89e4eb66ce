"""One person's messages and what is answered, on a socket and over HTTP alike."""

from __future__ import annotations

import logging
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async
from django.db import Error as DatabaseProblem

from accounts.client_address import UNKNOWN
from accounts.security_log import SecurityEvent, log_event
from generation import protocol, selectors, services
from generation.choices import CHANGE_ALL, ErrorCode
from generation.clock import clock
from generation.exceptions import InvalidInput, NotFound, StudioError
from generation.limits import MAX_MESSAGE_BYTES
from generation.log_lines import database
from generation.models import GenerationTask
from generation.protocol import Attach, Cancel, Detach, Generate, Ping, Retry

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)

ACK_MESSAGE = "任务已接收"


class Principal:
    """Whom a connection belongs to, and from where it came."""

    def __init__(self, user: User, *, address: str = UNKNOWN) -> None:
        self.user = user
        self.address = address
        self.connection_id = uuid.uuid4().hex[:12]

    def hello(self, active: list[dict[str, Any]], *, now: datetime) -> dict[str, Any]:
        """`active`: [{task_id, seq}] of his unfinished tasks, oldest first, not before `now`."""
        return {
            "type": "hello",
            "protocol": protocol.PROTOCOL_VERSION,
            "connection_id": self.connection_id,
            "server_time": round(now.timestamp(), 3),
            "active": active,
        }

    async def task(self, task_id: str, *, change: bool = False) -> GenerationTask:
        """The task, asked at the row; to change it one must own it or may change all."""
        return await database_sync_to_async(self.load)(task_id, change)

    def load(self, task_id: str, change: bool = False) -> GenerationTask:
        task = selectors.visible_task(task_id, self.user)
        if change and task.owner_id != self.user.pk and not self.user.has_perm(CHANGE_ALL):
            log_event(
                SecurityEvent.PERMISSION_REFUSED,
                account=self.user.get_username(),
                address=self.address,
                task=task_id,
            )
            raise NotFound
        return task


class Subscriber(ABC):
    """Where answers go, and what it means there to follow a task."""

    @abstractmethod
    async def send(self, frame: dict[str, Any]) -> None:
        """Put one frame behind what was said before."""

    def check_capacity(self, task_id: str | None = None) -> None:  # noqa: B027  there is always room
        """Raises InvalidInput if no further task can be followed."""

    def expecting(self, task_id: str) -> AbstractContextManager[None]:
        """While a task is looked up that will be followed."""
        return nullcontext()

    async def load_task(self, principal: Principal, task_id: str, *, after: int) -> GenerationTask:
        """The task, asked at the row; who follows it knows its events up to `after`."""
        return await principal.task(task_id)

    async def lookup_failed(self) -> None:  # noqa: B027  who asks again and again asks for all
        """What should be followed cannot be looked up: who waits for it has to come back."""

    def holding_notices(self) -> AbstractContextManager[None]:
        """While somebody submits, a notice may be of his own task: its `ack` comes first."""
        return nullcontext()

    @abstractmethod
    async def follow(self, task: GenerationTask, *, after: int) -> int:
        """Tell every event after `after`; the `seq` that `live` has to name."""

    @abstractmethod
    async def follow_new(self, task: GenerationTask) -> None:
        """A task that was just submitted: its log from the beginning, and its place."""

    def unfollow(self, task_id: str) -> None:  # noqa: B027  nothing may be held
        """Follow the task no more."""

    @abstractmethod
    async def cursors(self, asked: dict[str, int], user: User) -> dict[str, int]:
        """What a `pong` tells: the newest `seq` of each task, as far as is known here."""

    def resend_missing(self, task_ids: set[str]) -> None:  # noqa: B027  nothing may be missing
        """The person asks whether he has everything of these."""


class Session(Principal):
    """Thin: parse, one service or selector, answer."""

    def __init__(self, user: User, subscriber: Subscriber, *, address: str = UNKNOWN) -> None:
        super().__init__(user, address=address)
        self.subscriber = subscriber

    async def handle(self, text: str | None) -> None:
        """Answer one message; whatever is wrong with it is answered by a refusal."""
        key: str | None = None
        try:
            message = self.parse(text)
            key = str(message.request_key) if message.request_key else None
            await self.dispatch(message)
        except InvalidInput as error:
            key = key or error.request_key
            await self.refuse(error.code, key, field=error.field)
        except StudioError as error:
            await self.refuse(error.code, key)
        except DatabaseProblem as error:
            if not database.is_outage(error):
                logger.exception("connection %s: database", self.connection_id)
            await self.refuse(ErrorCode.UNAVAILABLE, key)

    async def refuse(self, code: ErrorCode, key: str | None, field: str | None = None) -> None:
        await self.subscriber.send(protocol.refusal(code, field=field, request_key=key))

    def parse(self, text: str | None) -> protocol.ClientMessage:
        if text is None:
            raise InvalidInput(ErrorCode.BINARY_FRAME)
        if len(text.encode(errors="surrogatepass")) > MAX_MESSAGE_BYTES:
            raise InvalidInput(ErrorCode.TOO_LONG)
        return protocol.parse_client_message(text)

    async def dispatch(self, message: protocol.ClientMessage) -> None:
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
        await self.submit_by(services.retry, task=task, key=message.request_key)

    async def submit_by(self, service: Callable[..., services.Submission], **values: Any) -> None:
        """Submit by `service`; its `ack` precedes everything else about the task."""
        self.subscriber.check_capacity()
        with self.subscriber.holding_notices():
            submission = await database_sync_to_async(service)(now=clock.now(), **values)
            await self.acknowledge(submission, key=values.get("key"))

    async def acknowledge(
        self, submission: services.Submission, key: uuid.UUID | None = None
    ) -> None:
        """`ack` first, then the log from its beginning: no event precedes its ack."""
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
        try:
            with self.subscriber.expecting(message.task_id):
                task = await self.subscriber.load_task(self, message.task_id, after=message.after)
                self.subscriber.check_capacity(str(task.pk))
                await self.send_task(task, after=message.after)
        except DatabaseProblem:
            await self.subscriber.lookup_failed()
            raise

    async def send_task(self, task: GenerationTask, *, after: int, introduce: bool = True) -> None:
        """`task`, the events after `after`, `live`."""
        if introduce:
            await self.subscriber.send(
                protocol.task_frame(task_id=str(task.pk), seq=task.newest_seq, task=task.data)
            )
        seq = await self.subscriber.follow(task, after=min(after, task.newest_seq))
        await self.subscriber.send({"type": "live", "task_id": str(task.pk), "seq": seq})

    async def detach(self, message: Detach) -> None:
        task = await self.task(message.task_id)
        self.subscriber.unfollow(str(task.pk))

    async def cancel(self, message: Cancel) -> None:
        task = await self.task(message.task_id, change=True)
        answer = await database_sync_to_async(services.request_cancel)(
            task_id=task.pk, now=clock.now()
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
