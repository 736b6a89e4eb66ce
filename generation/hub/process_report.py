"""Writes the row of this web process, from which the operations page reads its connections."""

from __future__ import annotations

import os
import platform
import uuid
from collections.abc import Mapping, Set

from channels.db import database_sync_to_async
from django.conf import settings

from generation import services
from generation.clock import clock
from generation.hub.delivery_figures import figures
from generation.hub.outbox import Outbox

REPORT_EVERY = 10.0


class ProcessReport:
    """`outboxes`: the open connections by owner."""

    def __init__(self, outboxes: Mapping[int, Set[Outbox]]) -> None:
        self.outboxes = outboxes
        self.process_id = uuid.uuid4()
        self.started = clock.now()

    async def write_report(self) -> None:
        connections = [outbox for each in self.outboxes.values() for outbox in each]
        streams = sum(outbox.follows_new_tasks for outbox in connections)
        polls, delay = figures.take()
        report = services.ConnectionReport(
            host=platform.node(),
            pid=os.getpid(),
            version=settings.VERSION,
            started=self.started,
            sockets=len(connections) - streams,
            streams=streams,
            polls=polls,
            gaps_healed=figures.gaps_healed,
            delay_p95=delay,
        )
        await database_sync_to_async(services.report_web_process)(
            process_id=self.process_id, report=report, now=clock.now()
        )
