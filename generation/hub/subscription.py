"""Sends the events of one task to one client, once and in order, from broadcasts and the log."""

from __future__ import annotations

import asyncio

from generation import process_metrics
from generation.hub.delivery_figures import figures
from generation.hub.outbox import Outbox
from generation.hub.replay import replay_log
from generation.selectors import LogPage
from generation.shutdown import cancel_and_wait


class Subscription:
    """One task of one client. `Hub.attach` gives it a cursor, `Hub.detach` ends it."""

    __slots__ = ("cursor", "outbox", "replay", "seen", "task_id")

    def __init__(self, outbox: Outbox, task_id: str) -> None:
        self.outbox = outbox
        self.task_id = task_id
        self.cursor: int | None = None
        """Highest seq queued; None while the task is not attached: nothing is sent then."""
        self.seen = 0
        """Newest seq that was broadcast, whether or not the event was queued."""
        self.replay: asyncio.Task[None] | None = None

    @property
    def is_live(self) -> bool:
        """Whether the next event is forwarded: attached, and nothing is being replayed."""
        return self.cursor is not None and self.replay is None

    def offer(self, seq: int, frame: str) -> None:
        """Forward the next event unchanged, drop an old one, and read the log after a gap."""
        cursor = self.cursor
        if cursor is not None and seq <= cursor:
            return
        self.seen = max(seq, self.seen)
        if cursor is None or self.replay is not None:
            return
        if seq == cursor + 1 and self.outbox.offer(frame):
            self.cursor = seq
            return
        if seq == cursor + 1:
            process_metrics.OUTBOX_OVERFLOWS.inc()
        else:
            process_metrics.EVENT_GAPS.labels("broadcast").inc()
            figures.gaps_healed += 1
        self.start_replay()

    def catch_up(self, newest: int = 0) -> None:
        """Send the events up to `newest`, or up to the newest broadcast, that were not queued."""
        if self.cursor is not None:
            self.seen = max(newest, self.seen)
            if self.seen > self.cursor:
                if self.replay is None:
                    process_metrics.EVENT_GAPS.labels("compare").inc()
                    figures.gaps_healed += 1
                self.start_replay()

    async def reset(self, cursor: int) -> None:
        """Set the cursor, even if cancelled; a replay from an earlier one is stopped first."""
        try:
            if self.replay is not None:
                # without a cursor no other replay can start while this one ends
                self.cursor = None
                await cancel_and_wait(self.replay)
                self.replay = None
        finally:
            self.cursor = cursor

    def start_replay(self, first: LogPage | None = None) -> asyncio.Task[None]:
        """Send every event after the cursor; return the running replay.

        `first`: the page after the cursor, if it was read already.
        """
        if self.replay is None:
            self.replay = asyncio.create_task(replay_log(self, first))
            self.outbox.replays.append(self.replay)
            self.replay.add_done_callback(self.outbox.replays.remove)
        return self.replay

    def end_replay(self, replay: asyncio.Task[None] | None) -> None:
        if self.replay is replay:
            self.replay = None

    def take_page(self, page: LogPage) -> bool:
        """Queue a page of the log; return whether more has to be read."""
        if self.cursor is None:
            return False
        if not page.frames:
            # broadcast ahead of the readable log: `Hub.compare` sends the event once it can be read
            self.seen = 0
            return False
        complete = self.queue_page(page)
        return not complete or page.more or self.seen > self.cursor

    def queue_page(self, page: LogPage) -> bool:
        """Queue the page's events and move the cursor; False if the outbox became full."""
        for part in page.parts():
            if self.outbox.try_send(*(frame for _seq, frame in part)):
                self.cursor = part[-1][0]
                continue
            for seq, frame in part:
                if not self.outbox.offer(frame):
                    return False
                self.cursor = seq
        return True
