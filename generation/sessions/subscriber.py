"""What a transport does for a session: it sends frames and follows tasks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from generation import protocol
from generation.exceptions import LimitReached
from generation.hub import Outbox, hub
from generation.models import GenerationTask
from generation.selectors import Allowances, LogPage

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from generation.sessions.session import Session

AnyOutbox = TypeVar("AnyOutbox", bound=Outbox)


class Subscriber(ABC):
    """One client of a session."""

    @abstractmethod
    async def send(self, frame: dict[str, Any]) -> None:
        """Send one frame after all earlier ones."""

    @abstractmethod
    async def follow(self, task: GenerationTask, *, after: int, first: LogPage | None) -> int:
        """Send every event after `after`; return the seq for the `live` frame.

        `first`: the events after `after`, if they were read with the task.
        """

    @abstractmethod
    async def follow_new(self, task: GenerationTask) -> None:
        """Follow a task that was just submitted: its whole log and its queue position."""

    @abstractmethod
    async def cursors(self, asked: dict[str, int], user: User) -> dict[str, int]:
        """{task_id: newest seq} for `pong`."""

    async def attach(self, session: Session, task_id: str, *, after: int) -> None:
        """Read the task and send it with its events after `after`."""
        await session.send_task(await session.task(task_id), after=after)

    def submitting(self) -> AbstractContextManager[None]:
        """Context of a submission; raises InvalidInput if no further task can be followed."""
        return nullcontext()

    def note_limits(self, allowances: Allowances) -> None:  # noqa: B027  default: no headers
        """Note what a submission left, for headers of the response."""

    def note_reached(self, reached: LimitReached) -> None:  # noqa: B027  default: no headers
        """Note why a submission was refused, for the status and headers of the response."""

    def unfollow(self, task_id: str) -> None:  # noqa: B027  default: no state to drop
        """Stop following the task."""

    def resend_missing(self, task_ids: set[str]) -> None:  # noqa: B027  default: never missing
        """Send events of these tasks that are known here but were not sent."""


class HubSubscriber(Subscriber, Generic[AnyOutbox]):
    """An open connection: the hub puts the events of followed tasks into its outbox."""

    def __init__(self, outbox: AnyOutbox) -> None:
        self.outbox = outbox

    async def open(self, session: Session) -> None:
        """Register in the hub; call it before anything is read for `hello`."""
        self.outbox.holder = session.signed_in
        await hub.register(self.outbox)

    async def close(self) -> None:
        await hub.unregister(self.outbox)

    async def send(self, frame: dict[str, Any]) -> None:
        await self.outbox.put(protocol.encode(frame))

    async def follow(self, task: GenerationTask, *, after: int, first: LogPage | None) -> int:
        task_id = str(task.pk)
        await hub.attach(self.outbox, task_id, task.owner_id, after, first)
        cursor = self.outbox.cursor(task_id)
        return task.newest_seq if cursor is None else cursor

    async def follow_new(self, task: GenerationTask) -> None:
        # submitted twice with one key on this connection: it is attached already
        if not self.outbox.is_attached(str(task.pk)):
            await self.follow(task, after=0, first=None)
        hub.publish_positions_of([str(task.pk)])

    def unfollow(self, task_id: str) -> None:
        hub.detach(self.outbox, task_id)

    async def cursors(self, asked: dict[str, int], user: User) -> dict[str, int]:
        """Cursors of every attached task, from memory; `asked` is not used."""
        return self.outbox.cursors()

    def resend_missing(self, task_ids: set[str]) -> None:
        for task_id in task_ids & self.outbox.subscriptions.keys():
            self.outbox.subscriptions[task_id].catch_up()
