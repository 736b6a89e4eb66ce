"""The bounded queue of the frames for one client."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from generation.limits import MAX_QUEUED_FRAMES
from generation.protocol import encode, limits_frame
from generation.shutdown import cancel_and_wait

if TYPE_CHECKING:
    from accounts.credentials import SignedIn
    from generation.hub.subscription import Subscription

CLOSE_TIMEOUT = 5.0
"""Seconds for closing connections; those still open then end with the process."""


NO_LIMITS = encode(limits_frame({}))
"""Needs not be sent to a client that got no other `limits` frame."""


class Outbox(ABC):
    """Frames for one client, in order, and what it is subscribed to."""

    # there are thousands of idle clients
    __slots__ = (
        "close",
        "collection",
        "frames",
        "groups",
        "hello_sent",
        "holder",
        "limits",
        "models",
        "owner_id",
        "reading",
        "replays",
        "room",
        "subscriptions",
    )

    transport: ClassVar[str]
    """How metrics call this kind of connection."""

    follows_new_tasks: ClassVar[bool] = False
    """Whether the client gets every new task of its owner without asking for it."""

    def __init__(self, *, owner_id: int, close: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        self.owner_id = owner_id
        self.close = close
        # event and lock are made when needed
        self.frames: list[str] = []
        self.room: asyncio.Event | None = None
        self.reading: asyncio.Lock | None = None
        self.subscriptions: dict[str, Subscription] = {}
        """By task id; the hub adds and removes them."""
        self.replays: list[asyncio.Task[None]] = []
        """Those that are running, also of tasks that were detached meanwhile."""
        self.groups: tuple[int, ...] = ()
        """Ids of the owners whose groups were joined for this client; a set would need more."""
        self.holder: SignedIn | None = None
        self.hello_sent = False
        """Whether `hello`, the first frame, was queued; queue updates must come after it."""
        self.collection = 0
        """The newest revision of its owner's collection that was queued."""
        self.models = ""
        """The newest `models` frame that was queued; an equal one is not sent again."""
        self.limits = NO_LIMITS
        """The same of `limits`."""

    def cursor(self, task_id: str) -> int | None:
        """Highest seq queued for the task; None if it is not attached."""
        subscription = self.subscriptions.get(task_id)
        return None if subscription is None else subscription.cursor

    @property
    def follows_others(self) -> bool:
        """Whether it is, or was, attached to a task of another owner."""
        return any(each != self.owner_id for each in self.groups)

    def is_attached(self, task_id: str) -> bool:
        return self.cursor(task_id) is not None

    def cursors(self) -> dict[str, int]:
        """{attached task_id: highest seq queued}, built from all subscriptions."""
        return {
            task_id: each.cursor
            for task_id, each in self.subscriptions.items()
            if each.cursor is not None
        }

    def offer_models(self, frame: str) -> None:
        """Queue a `models` frame that differs from the last one."""
        if self.hello_sent and frame != self.models and self.offer(frame):
            self.models = frame

    def offer_limits(self, frame: str) -> None:
        """Queue a `limits` frame that differs from the last one."""
        if self.hello_sent and frame != self.limits and self.offer(frame):
            self.limits = frame

    def offer_collection(self, revision: int, frame: str) -> None:
        """Queue a newer revision. If full, or before `hello`, `compare_collections` retries."""
        if self.hello_sent and revision > self.collection and self.offer(frame):
            self.collection = revision

    @abstractmethod
    def wake(self) -> None:
        """Start sending; called after a frame was queued."""

    @abstractmethod
    def notify(self, task_id: str, frame: str) -> None:
        """Handle a new task of the same owner; `frame` is its `task` frame."""

    def discover(self, task_ids: Collection[str]) -> None:  # noqa: B027  see follows_new_tasks
        """Follow these new tasks, whose notices may have been lost."""

    def offer(self, frame: str) -> bool:
        """Queue `frame`; False if the outbox is full."""
        if len(self.frames) >= MAX_QUEUED_FRAMES:
            return False
        self.frames.append(frame)
        self.wake()
        return True

    def try_send(self, *frames: str) -> bool:
        """Send `frames` at once; False if that would overtake queued frames or block."""
        return False

    async def put(self, frame: str) -> None:
        """Queue `frame`, waiting for room."""
        self.hello_sent = True
        while not self.offer(frame):
            await self.wait_for_room()

    def reading_lock(self) -> asyncio.Lock:
        """Lock that is held while the log is read for this client."""
        if self.reading is None:
            self.reading = asyncio.Lock()
        return self.reading

    def page_size(self) -> int:
        """Number of log events to read for this client at once."""
        return MAX_QUEUED_FRAMES

    async def wait_until_empty(self) -> None:
        """Wait until no frame is queued; a closed socket drops its frames."""
        while self.frames:
            await self.wait_for_room()

    async def wait_for_room(self) -> None:
        self.room = self.room or asyncio.Event()
        self.room.clear()
        await self.room.wait()

    def notify_room(self) -> None:
        if self.room is not None:
            self.room.set()

    async def stop(self) -> None:
        """Cancel this client's background tasks. Queued frames are dropped; the log has them."""
        await cancel_and_wait(*self.replays)


async def close_all(closing: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Close connections at the same time, so that none waits for a client that does not read."""
    tasks = [asyncio.create_task(each, name="close") for each in closing]
    if tasks:
        await asyncio.wait(tasks, timeout=CLOSE_TIMEOUT)
        await cancel_and_wait(*tasks)
