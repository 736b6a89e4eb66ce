"""Ends calls whose worker is gone or whose connection broke."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from channels.db import database_sync_to_async

from generation import services
from generation.choices import Route
from generation.clock import clock
from generation.exceptions import XinferenceError, XinferenceGone, XinferenceKeyRefused
from generation.outages import Outage
from generation.services import AbandonedCall
from generation.worker.aborts import ABORT_TIMEOUT
from generation.xinference import XinferenceClient

logger = logging.getLogger(__name__)

POLL_INTERVAL = 0.5
KEY_REFUSED_PAUSE = 5.0

GONE_AFTER = 5.0
"""Seconds without a process that listens at the server's address, after which its calls are over:
another server draws their tasks. Shorter ones may be a proxy that restarts."""


class Absence:
    """How long no process has listened at the address of a server."""

    def __init__(self) -> None:
        self.began: float | None = None

    def is_long_with(self, error: XinferenceError) -> bool:
        """Whether the server has been gone for GONE_AFTER, as `error` is the newest response."""
        if not isinstance(error, XinferenceGone):
            self.began = None
            return False
        self.began = monotonic() if self.began is None else self.began
        return monotonic() - self.began >= GONE_AFTER


async def end_abandoned_call(client: XinferenceClient, slot: AbandonedCall) -> None:
    """Return once the call is known to be over.

    A call on txt2img is aborted. A call on generations, or of another installation, must not be
    aborted: it is over when its progress is 1.0 or unknown, when its model process was replaced,
    or when the stall limit has passed. Any call is over when its server has been gone for
    GONE_AFTER. While the server cannot be reached otherwise this waits: it may still draw.
    """
    if slot.request_id is None:
        return
    request_id = str(slot.request_id)
    deadline = monotonic() + slot.stall.total_seconds()
    aborted = slot.route != Route.TXT2IMG or not slot.ours
    outage = Outage(logger, "abandoned_call", call=request_id, model=slot.model)
    absence = Absence()
    while monotonic() < deadline:
        if slot.server_id is not None and await database_sync_to_async(services.key_is_refused)(
            server_id=slot.server_id, now=clock.now()
        ):
            # no request may be sent: only the stall limit decides until the key works again
            await asyncio.sleep(min(KEY_REFUSED_PAUSE, max(0.0, deadline - monotonic())))
            continue
        try:
            if not aborted:
                await client.abort(model=slot.model, request_id=request_id)
                aborted = True
                deadline = min(deadline, monotonic() + ABORT_TIMEOUT)
            fraction = await client.progress(request_id)
            outage.worked()
            absence = Absence()
            if fraction is None or fraction >= 1 or await was_replaced(client, slot):
                return
        except XinferenceKeyRefused as error:
            if slot.server_id is None:
                outage.failed(error)
            else:
                await database_sync_to_async(services.refuse_key)(
                    server_id=slot.server_id, now=clock.now()
                )
        except XinferenceError as error:
            outage.failed(error)
            if absence.is_long_with(error):
                return
        await asyncio.sleep(POLL_INTERVAL)


async def was_replaced(client: XinferenceClient, slot: AbandonedCall) -> bool:
    """Whether every process that could run the call has been replaced.

    The server does not say which of several processes runs it.
    """
    model = await client.image_model(slot.model)
    if model is None or not (model.ready and model.identity and slot.identity):
        return False
    return not set(model.identity.split(",")) & set(slot.identity.split(","))
