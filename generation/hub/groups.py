"""The channel-layer groups that this process has joined, one per task owner."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import Counter, defaultdict
from time import monotonic
from typing import Literal
from weakref import WeakValueDictionary

from generation import broadcast
from generation.outages import layer as outage
from generation.shutdown import finish_within

LINGER = 60.0
"""Seconds a group is kept after its last socket: reloading a page must not leave and rejoin it."""

RENEW_EVERY = 3_600.0
"""Seconds. Channel layers drop a membership after 24 hours."""

MARKER_INTERVAL = 0.02
MARKER_TIMEOUT = 1.0
"""Seconds to wait for a marker. After that clients go on unproven; `Hub.compare` finds losses."""

MAINTAIN_EVERY = 5.0

LEAVE_TIMEOUT = 3 * MARKER_TIMEOUT
"""Seconds for one group: it may have to wait for a join that holds the group's lock."""


class GroupMemberships:
    """Joined groups, with a count of their sockets; one lock per group orders joins and leaves."""

    def __init__(self) -> None:
        self.channel = ""
        self.counts: Counter[int] = Counter()
        self.joined: dict[int, float] = {}
        self.empty_since: dict[int, float] = {}
        self.locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.failed: dict[int, float] = {}
        # an entry lasts as long as the coroutine that waits for the marker
        self.markers: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()
        self.state: Literal["ok", "down", "unknown"] = "unknown"
        """Whether the last marker to our own channel arrived; `unknown` before the first one."""

    async def open(self) -> None:
        """Open the channel. If the layer is down, `channel` stays empty and `listen` retries."""
        if self.channel:
            return
        try:
            async with asyncio.timeout(MARKER_TIMEOUT):
                self.channel = await broadcast.layer().new_channel("hub")
        except Exception as error:  # noqa: BLE001  depends on the layer's driver
            outage.failed(error)
            self.state = "down"
            await asyncio.sleep(MARKER_TIMEOUT)

    async def close(self) -> None:
        await asyncio.gather(*(self.leave(owner_id) for owner_id in list(self.joined)))

    async def join(self, owner_id: int) -> None:
        """Join the owner's group; return once a marker has arrived, or after MARKER_TIMEOUT."""
        self.counts[owner_id] += 1
        self.empty_since.pop(owner_id, None)
        async with self.locks[owner_id]:
            lately = monotonic() - MAINTAIN_EVERY
            if owner_id in self.joined or self.failed.get(owner_id, lately) > lately:
                return
            if self.state == "down":
                # do not make the client wait for a timeout; `maintain` joins the group later
                return
            await self.add(owner_id, verify=True)

    async def add(self, owner_id: int, *, verify: bool) -> None:
        """Add this process to the group; the caller holds the group's lock."""
        try:
            async with asyncio.timeout(MARKER_TIMEOUT):
                await broadcast.layer().group_add(broadcast.group_of(owner_id), self.channel)
                if verify:
                    await self.verify(owner_id)
        except Exception as error:  # noqa: BLE001  layer is down: `Hub.compare` reads the log
            outage.failed(error)
            self.failed[owner_id] = monotonic()
            return
        self.failed.pop(owner_id, None)
        self.joined[owner_id] = monotonic()

    def in_group_since(self, owner_id: int, *, since: float) -> bool:
        """Whether this process has been in the group since `since` (monotonic seconds)."""
        return self.state != "down" and self.joined.get(owner_id, float("inf")) <= since

    async def verify(self, owner_id: int) -> None:
        """Send a marker to the group, repeatedly, until it arrives on our channel."""
        marker = uuid.uuid4().hex
        arrived = self.markers[marker] = asyncio.Event()
        message = broadcast.marker(marker)
        while not arrived.is_set():
            await broadcast.layer().group_send(broadcast.group_of(owner_id), message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MARKER_INTERVAL):
                    await arrived.wait()

    def marker_received(self, marker: str) -> None:
        event = self.markers.get(marker)
        if event is not None:
            event.set()

    def release(self, owner_id: int) -> None:
        """Count one socket less. `maintain` leaves the group LINGER seconds after the last one."""
        self.counts[owner_id] -= 1
        if self.counts[owner_id] <= 0:
            del self.counts[owner_id]
            self.empty_since[owner_id] = monotonic()

    async def maintain(self) -> None:
        """Leave unused groups, renew old memberships and retry failed joins."""
        await self.check_channel()
        now = monotonic()
        for owner_id, since in list(self.empty_since.items()):
            if now - since > LINGER:
                await self.leave(owner_id)
        # while the layer is down, each owner would cost one timeout
        owners = list(self.counts) if self.state == "ok" else []
        for owner_id in owners:
            if now - self.joined.get(owner_id, now - RENEW_EVERY - 1) > RENEW_EVERY:
                async with self.locks[owner_id]:
                    await self.add(owner_id, verify=False)

    async def check_channel(self) -> None:
        """Send a marker to our own channel and set `state` by whether it arrives."""
        marker = uuid.uuid4().hex
        arrived = self.markers[marker] = asyncio.Event()
        try:
            async with asyncio.timeout(MARKER_TIMEOUT):
                await broadcast.layer().send(self.channel, broadcast.marker(marker))
                await arrived.wait()
            self.state = "ok"
            outage.worked()
        except Exception as error:  # noqa: BLE001  depends on the layer's driver
            outage.failed(error)
            self.state = "down"

    async def leave(self, owner_id: int) -> None:
        """Leave the group unless it was joined again, within LEAVE_TIMEOUT."""
        name = f"leaving the group of owner {owner_id}"
        await finish_within(LEAVE_TIMEOUT, self.leave_unless_needed(owner_id), name=name)

    async def leave_unless_needed(self, owner_id: int) -> None:
        async with self.locks[owner_id]:
            if self.counts.get(owner_id):
                return
            self.empty_since.pop(owner_id, None)
            self.joined.pop(owner_id, None)
            self.failed.pop(owner_id, None)
            try:
                async with asyncio.timeout(MARKER_TIMEOUT):
                    await broadcast.layer().group_discard(
                        broadcast.group_of(owner_id), self.channel
                    )
            except Exception as error:  # noqa: BLE001  a stale membership costs only messages
                outage.failed(error)
        if not self.counts.get(owner_id):
            # no join has counted a socket since, so no coroutine waits for this lock
            self.locks.pop(owner_id, None)
