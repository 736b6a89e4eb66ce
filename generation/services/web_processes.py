"""The rows of web processes, which each of them writes with its open connections."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from generation.models import WebProcess

ROWS_KEPT = timedelta(hours=1)
"""Time for which the row of a process that is gone is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionReport:
    """What a web process says of itself; the fields are those of its row."""

    host: str
    pid: int
    version: str
    started: datetime
    sockets: int
    streams: int
    polls: int
    gaps_healed: int
    delay_p95: float | None


def report_web_process(*, process_id: uuid.UUID, report: ConnectionReport, now: datetime) -> None:
    WebProcess.objects.update_or_create(
        pk=process_id, defaults={**asdict(report), "last_seen": now}
    )


def delete_old_web_processes(*, now: datetime) -> None:
    WebProcess.objects.filter(last_seen__lt=now - ROWS_KEPT).delete()
