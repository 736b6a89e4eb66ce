"""Aborts calls of the model server."""

from __future__ import annotations

import asyncio
import logging

from generation import services
from generation.choices import Route
from generation.clock import clock
from generation.exceptions import XinferenceError, XinferenceKeyRefused
from generation.outages import Outage
from generation.shutdown import cancel_and_wait
from generation.worker.attempt import Attempt

logger = logging.getLogger(__name__)

ABORT_INTERVAL = 1.0
"""Seconds between aborts of one call; the first may reach the server before the call does."""

ABORT_TIMEOUT = 30.0
"""Seconds after which an aborted call counts as over; it ends with its denoising step."""


async def abort_call(attempt: Attempt, request_id: str, draw: asyncio.Task[str]) -> None:
    """Wait until the call has ended, at most ABORT_TIMEOUT, and abort it if its route allows."""
    aborts = asyncio.create_task(send_aborts(attempt, request_id))
    try:
        await asyncio.wait({draw}, timeout=ABORT_TIMEOUT)
    finally:
        await cancel_and_wait(aborts)


async def send_aborts(attempt: Attempt, request_id: str) -> None:
    """Abort the call again and again; return only if no abort may be sent."""
    outage = Outage(logger, "abort", call=request_id)
    while attempt.claim.route == Route.TXT2IMG:
        try:
            await attempt.client.abort(model=attempt.task.model, request_id=request_id)
        except XinferenceKeyRefused:
            # more attempts would get this address banned
            await attempt.database(
                services.refuse_key, server_id=attempt.claim.server_id, now=clock.now()
            )
            return
        except XinferenceError as error:
            outage.failed(error)
        await asyncio.sleep(ABORT_INTERVAL)
