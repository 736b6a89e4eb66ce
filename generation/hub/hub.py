"""The hub: channel-layer messages in, frames out. What the layer loses is read from the log."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from channels.db import database_sync_to_async

from generation import broadcast, process_metrics, selectors
from generation.choices import LimitKind
from generation.clock import clock
from generation.hub.credential_checks import CHECK_EVERY, CredentialChecks
from generation.hub.delivery_figures import figures
from generation.hub.groups import MAINTAIN_EVERY, GroupMemberships
from generation.hub.limit_updates import LimitUpdates
from generation.hub.outbox import Outbox, close_all
from generation.hub.process_report import REPORT_EVERY, ProcessReport
from generation.hub.queue_updates import POSITIONS_EVERY, QueueUpdates, queue_frames
from generation.hub.review_updates import ReviewUpdates
from generation.hub.subscription import Subscription
from generation.loops import Job, every, listen
from generation.outages import Outage, database
from generation.protocol import QueuePosition, collection_frame, encode
from generation.selectors import LogPage
from generation.shutdown import cancel_and_wait

logger = logging.getLogger(__name__)
Close = Callable[[int], Coroutine[Any, Any, None]]

COMPARE_EVERY = 5.0
"""Seconds after which a lost broadcast is noticed at the latest."""


class Hub:
    """Distributes events to the clients of this process; one per process.

    Delivering the next event of a task costs no query, no JSON and no thread switch per client.
    """

    def __init__(self) -> None:
        self.subscriptions: defaultdict[str, set[Subscription]] = defaultdict(set)
        """By task id."""
        self.outboxes: defaultdict[int, set[Outbox]] = defaultdict(set)
        """By owner id."""
        self.connecting: set[Close] = set()
        """Close callbacks of sockets whose user is not authenticated yet."""
        self.queue_updates = QueueUpdates()
        self.credential_checks = CredentialChecks(self.outboxes, self.detach)
        self.limit_updates = LimitUpdates()
        self.report = ProcessReport(self.outboxes)
        self.review_updates = ReviewUpdates()
        self.searched_at = clock.now()
        """Streams know every task that their owner submitted before this time."""
        self.groups = GroupMemberships()
        self.loops: list[asyncio.Task[None]] = []
        self.leaving = False
        self.owns_publisher = False
        self.notices = 0
        """Number of `task.created` messages received so far."""

    async def start(self) -> None:
        """Join the channel layer and start the background loops; call it in the event loop."""
        self.leaving = False
        self.searched_at = clock.now()
        self.report = ProcessReport(self.outboxes)
        self.owns_publisher = broadcast.publisher.start()
        self.groups = GroupMemberships()
        await self.groups.open()
        self.loops = [
            asyncio.create_task(listen(self.receive_messages), name="hub listen"),
            self.repeat(COMPARE_EVERY, self.compare),
            self.repeat(POSITIONS_EVERY, self.publish_positions),
            self.repeat(MAINTAIN_EVERY, self.groups.maintain),
            self.repeat(CHECK_EVERY, self.credential_checks.check_all),
            self.repeat(REPORT_EVERY, self.report.write_report),
        ]

    def repeat(self, seconds: float, job: Job) -> asyncio.Task[None]:
        name = job.__name__
        outage = Outage(logger, "hub", job=name)
        return asyncio.create_task(every(seconds, job, outage, first=seconds), name=f"hub {name}")

    async def stop(self) -> None:
        loops, self.loops = self.loops, []
        await cancel_and_wait(*loops)
        await self.queue_updates.stop()
        await self.credential_checks.stop()
        await self.limit_updates.stop()
        await self.groups.close()
        if self.owns_publisher:
            await broadcast.publisher.stop()

    async def close_sockets(self, code: int) -> None:
        """Close every socket with `code` and refuse new ones."""
        self.leaving = True
        self.review_updates.wake()
        await close_all(close(code) for close in self.close_callbacks())

    def close_callbacks(self) -> list[Close]:
        return [*self.connecting, *(outbox.close for outbox in self.all_outboxes())]

    def all_outboxes(self) -> list[Outbox]:
        return list(chain.from_iterable(self.outboxes.values()))

    async def receive_messages(self) -> None:
        """Handle the messages of this process's channel until the layer fails.

        `receive` is cancelled only at shutdown: a cancelled receive can lose a message.
        """
        layer = broadcast.layer()
        while True:
            await self.groups.open()
            if self.groups.channel:
                self.handle(await layer.receive(self.groups.channel))

    def handle(self, message: dict[str, Any]) -> None:
        """Dispatch a message; one that cannot be used is logged."""
        try:
            self.dispatch(message)
        except Exception:
            logger.exception("hub cannot use %s", message.get("type"))

    def dispatch(self, message: dict[str, Any]) -> None:
        if message["type"] == "task.event":
            self.deliver(message)
            if (owner_id := message.get("ended_of")) is not None:
                self.limit_updates.usage_changed(owner_id, self.offer_limits)
        elif message["type"] == "task.created":
            self.notices += 1
            for outbox in tuple(self.outboxes.get(message["owner_id"], ())):
                outbox.notify(message["task_id"], message["frame"])
            self.limit_updates.usage_changed(message["owner_id"], self.offer_limits)
        elif message["type"] == "collection.changed":
            for outbox in tuple(self.outboxes.get(message["owner_id"], ())):
                outbox.offer_collection(message["revision"], message["frame"])
        elif message["type"] == "credentials.changed":
            self.credential_checks.check_soon(message["owner_id"])
        elif message["type"] == "review.decided":
            self.review_updates.wake()
        elif message["type"] == "hub.marker":
            self.groups.marker_received(message["marker"])

    def deliver(self, event: dict[str, Any]) -> None:
        """Offer an event to the clients that follow its task."""
        seq, frame = event["seq"], event["frame"]
        subscriptions = tuple(self.subscriptions.get(event["task_id"], ()))
        for subscription in subscriptions:
            subscription.offer(seq, frame)
        # processes of the version before do not send the time
        if subscriptions and (committed_at := event.get("committed_at")) is not None:
            delay = clock.now().timestamp() - committed_at
            process_metrics.EVENT_DELIVERY.observe(max(0.0, delay))
            figures.delivered(delay)

    async def register(self, outbox: Outbox) -> None:
        """Add a client: it gets its owner's new tasks and is closed at shutdown."""
        self.credential_checks.share_user(outbox)
        self.outboxes[outbox.owner_id].add(outbox)
        await self.join(outbox, outbox.owner_id)

    def has_room(self, owner_id: int) -> bool:
        """Whether this user may open one more socket or stream in this process."""
        most = self.limit_updates.most_connections(owner_id)
        if most is None or self.connections_of(owner_id) < most:
            return True
        process_metrics.LIMITS_REFUSED.labels(LimitKind.CONNECTIONS.value).inc()
        return False

    def connections_of(self, owner_id: int) -> int:
        """Sockets and streams of this user in this process."""
        return len(self.outboxes.get(owner_id, ()))

    def missed_no_notice(self, owner_id: int, *, since: float, notices: int) -> bool:
        """Whether no notice of this owner's new tasks was missed since `since`.

        `since` (monotonic seconds) and `notices` are from before the socket was registered.
        """
        return notices == self.notices and self.groups.in_group_since(owner_id, since=since)

    async def join(self, outbox: Outbox, owner_id: int) -> None:
        if owner_id not in outbox.groups:
            outbox.groups += (owner_id,)
            await self.groups.join(owner_id)

    def subscribe(self, outbox: Outbox, task_id: str) -> Subscription:
        """The client's subscription to the task; a new one is not attached yet."""
        subscription = outbox.subscriptions.get(task_id)
        if subscription is None:
            subscription = outbox.subscriptions[task_id] = Subscription(outbox, task_id)
            self.subscriptions[task_id].add(subscription)
        return subscription

    @contextmanager
    def expecting(self, outbox: Outbox, task_ids: Collection[str]) -> Iterator[None]:
        """While the tasks are read from the database: note newer broadcasts for `attach`.

        The owner's group must be joined already. Tasks that are not attached then are dropped.
        """
        for task_id in task_ids:
            self.subscribe(outbox, task_id)
        try:
            yield
        finally:
            for task_id in task_ids:
                if not outbox.is_attached(task_id):
                    self.detach(outbox, task_id)

    async def attach(
        self, outbox: Outbox, task_id: str, owner_id: int, after: int, first: LogPage | None = None
    ) -> None:
        """Attach the task: from now on the client gets every event after `after` exactly once.

        Joins the group before it reads the log, so that no event falls between the two.
        `first`: the log page after `after`, if it was read while the task was expected; without
        frames it only says whether there are `more`.
        """
        subscription = self.subscribe(outbox, task_id)
        await subscription.reset(after)
        await self.join(outbox, owner_id)
        if first is None or first.frames or first.more or subscription.seen > after:
            await subscription.start_replay(first if first and first.frames else None)
        self.queue_updates.send_known(outbox, task_id)

    def detach(self, outbox: Outbox, task_id: str) -> None:
        subscription = outbox.subscriptions.pop(task_id, None)
        if subscription is None:
            return
        # a replay ends when it finds no cursor
        subscription.cursor = None
        self.subscriptions[task_id].discard(subscription)
        if not self.subscriptions[task_id]:
            del self.subscriptions[task_id]
            self.queue_updates.known.pop(task_id, None)

    async def unregister(self, outbox: Outbox) -> None:
        for task_id in list(outbox.subscriptions):
            self.detach(outbox, task_id)
        self.outboxes[outbox.owner_id].discard(outbox)
        if not self.outboxes[outbox.owner_id]:
            del self.outboxes[outbox.owner_id]
            self.limit_updates.forget(outbox.owner_id)
        for owner_id in outbox.groups:
            self.groups.release(owner_id)
        await outbox.stop()

    async def compare(self) -> None:
        """Send every client what the log holds after its cursor, from one query for all tasks.

        A finished task whose log was sent to the end is detached: no event can follow.
        """
        await database_sync_to_async(clock.synchronise)()
        if database.ongoing and await database_sync_to_async(selectors.accepts_writes)():
            database.worked()
        await self.discover_tasks()
        await self.compare_collections()
        await self.review_updates.compare()
        if self.outboxes:
            await self.limit_updates.read(list(self.outboxes), self.offer_limits)
        if not self.subscriptions:
            return
        newest = await database_sync_to_async(selectors.newest_seqs)(list(self.subscriptions))
        for task_id, (seq, is_over) in newest.items():
            for subscription in tuple(self.subscriptions.get(task_id, ())):
                subscription.catch_up(seq)
                if is_over and subscription.is_live:
                    self.detach(subscription.outbox, task_id)

    async def discover_tasks(self) -> None:
        """Give every stream the tasks of its owner whose `task.created` message was lost."""
        now = clock.now()
        owners = {each.owner_id for each in self.all_outboxes() if each.follows_new_tasks}
        discovered = await database_sync_to_async(selectors.tasks_to_find)(
            owners, since=self.searched_at
        )
        self.searched_at = now
        for owner_id, task_ids in discovered.items():
            for outbox in self.outboxes.get(owner_id, ()):
                outbox.discover(task_ids)

    async def compare_collections(self) -> None:
        """Send the newest collection revision to every client that has not got it."""
        if not self.outboxes:
            return
        revisions = await database_sync_to_async(selectors.revisions_of)(list(self.outboxes))
        for owner_id, revision in revisions.items():
            frame = encode(collection_frame(revision))
            for outbox in tuple(self.outboxes.get(owner_id, ())):
                outbox.offer_collection(revision, frame)

    def send_limits(self, owner_id: int) -> None:
        """Send the limits of an owner to clients that have just received `hello`."""
        self.limit_updates.read_soon(owner_id, self.offer_limits)

    def offer_limits(self, owner_id: int, frame: str) -> None:
        for outbox in tuple(self.outboxes.get(owner_id, ())):
            outbox.offer_limits(frame)

    def publish_positions_of(self, task_ids: Collection[str]) -> None:
        """Send the tasks' queue positions to the clients attached to them, after BATCH_DELAY."""
        self.queue_updates.publish_soon(task_ids, self.offer_positions)

    def offer_positions(self, positions: dict[str, QueuePosition]) -> None:
        for task_id, position in positions.items():
            for subscription in tuple(self.subscriptions.get(task_id, ())):
                if subscription.cursor is not None:
                    self.queue_updates.offer(subscription.outbox, {task_id: position})

    async def publish_positions(self) -> None:
        await self.queue_updates.publish(self.all_outboxes(), tuple(self.subscriptions))

    def queue_frames_of(self, owner_id: int, task_ids: Collection[str]) -> list[str]:
        """The frames that `publish_positions` sends, for one poll; reads the database."""
        positions, models = self.queue_updates.read_queue({owner_id}, task_ids)
        return [*queue_frames(positions, task_ids), models[owner_id]]


hub = Hub()
"""The hub of this process; `liujuan_site.lifespan` starts it."""
