"""The progress of each request, and how long it is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

SPAN = 0.05
"""The smallest reported change; with more than 20 steps some are not reported."""

CREEP = 1e-7
"""Rise of a creeping request's progress with each poll."""

MEMORY = 300.0
"""Seconds for which a request that reached 1.0 is remembered."""


@dataclass(slots=True)
class Record:
    began: float
    changed: float
    progress: float = 0.0
    pace: float | None = None
    samples: int = 0
    interval: float = 0.0
    frozen_at: float | None = None
    """Set by a fault: progress above it is not reported."""
    creeping: bool = False
    """Set by a fault: progress rises by CREEP with each poll."""

    def set(self, value: float, now: float) -> None:
        if value < 1 and value - self.progress < SPAN:
            return
        if self.frozen_at is not None and value > self.frozen_at:
            return
        change, duration = value - self.progress, now - self.changed
        if change > 0 and duration > 0:
            self.samples += 1
            self.interval = duration
            sample = duration / change
            self.pace = sample if self.pace is None else 0.3 * sample + 0.7 * self.pace
        self.progress, self.changed = value, now

    def snapshot(self, now: float) -> dict[str, float | None]:
        if self.creeping:
            self.progress += CREEP
        eta = None
        alive = now - self.changed <= max(30.0, 3 * self.interval)
        if self.pace is not None and self.samples >= 2 and 0 < self.progress < 1 and alive:
            eta = (1 - self.progress) * self.pace
        return {
            "progress": self.progress,
            "elapsed_seconds": now - self.began,
            "eta_seconds": eta,
        }


class Progress:
    def __init__(self) -> None:
        self._records: dict[str, Record] = {}

    def begin(self, request_id: str | None) -> Record:
        """A new record at 0.0; a request without an id gets a private one."""
        now = monotonic()
        self._forget(now)
        record = Record(began=now, changed=now)
        if request_id is not None:
            self._records[request_id] = record
        return record

    def snapshot(self, request_id: str) -> dict[str, float | None] | None:
        now = monotonic()
        self._forget(now)
        record = self._records.get(request_id)
        return record.snapshot(now) if record else None

    def _forget(self, now: float) -> None:
        over = [
            key
            for key, record in self._records.items()
            if record.progress >= 1 and now - record.changed > MEMORY
        ]
        for key in over:
            del self._records[key]
