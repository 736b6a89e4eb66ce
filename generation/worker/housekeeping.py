"""What a worker does at intervals that no task waits for."""

from __future__ import annotations

import gc
import uuid
from collections.abc import Callable, Iterator

from generation.loops import Job
from generation.worker.cleanup import clean_up
from generation.worker.figures import note_figures, note_memory
from generation.worker.idle_lock import IdleLock
from generation.worker.nightly_prune import prune
from generation.worker.server_links import ServerLinks

CLEANUP_INTERVAL = 3_600.0
PRUNE_INTERVAL = 60.0
"""Seconds between looks whether it is time for the nightly run, or to continue it."""

GARBAGE_INTERVAL = 30.0
FIGURES_INTERVAL = 15.0
MEMORY_INTERVAL = 30.0
FIRST_CLEANUP_DELAY = 300.0
"""Seconds before the first cleanup: after a start tasks wait, and restarts may follow."""


class Housekeeping:
    """`may_go_on`: whether the worker neither drains nor is held; `is_idle`: it has no run."""

    def __init__(
        self,
        servers: ServerLinks,
        idle_lock: IdleLock,
        *,
        worker_id: Callable[[], uuid.UUID],
        may_go_on: Callable[[], bool],
        is_idle: Callable[[], bool],
    ) -> None:
        self.servers = servers
        self.idle_lock = idle_lock
        self.worker_id = worker_id
        self.may_go_on = may_go_on
        self.is_idle = is_idle
        self.errors_collected = 0

    def jobs(self) -> Iterator[tuple[float, Job, float]]:
        """(interval, job, delay of the first run), in seconds."""
        yield CLEANUP_INTERVAL, self.clean_up, FIRST_CLEANUP_DELAY
        yield PRUNE_INTERVAL, self.prune, FIRST_CLEANUP_DELAY
        yield GARBAGE_INTERVAL, self.collect_garbage, 0.0
        yield FIGURES_INTERVAL, note_figures, FIGURES_INTERVAL
        yield MEMORY_INTERVAL, self.note_memory, MEMORY_INTERVAL

    async def clean_up(self) -> None:
        if self.may_go_on():
            await clean_up(self.worker_id())

    async def prune(self) -> None:
        if self.may_go_on():
            await prune(self.worker_id(), self.idle_lock, self.may_go_on)

    async def note_memory(self) -> None:
        if self.may_go_on():
            await note_memory(self.servers.askable_clients)

    async def collect_garbage(self) -> None:
        """Collect reference cycles after errors of the model server, while no task runs.

        Errors of this package leave none (see `translate_errors` in generation/xinference), but
        libraries may. Only young objects are collected, because a full collection pauses every
        socket of the process.
        """
        errors = self.servers.errors
        if errors != self.errors_collected and self.is_idle():
            self.errors_collected = errors
            gc.collect(1)
