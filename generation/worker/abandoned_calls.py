"""Calls that nobody waits for any more: when is the machine behind them free again?"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from channels.db import database_sync_to_async

from generation import services
from generation.choices import Route
from generation.clock import clock
from generation.exceptions import XinferenceError, XinferenceKeyRefused
from generation.log_lines import Outage
from generation.services import AbandonedCall
from generation.xinference import XinferenceClient

logger = logging.getLogger(__name__)

POLL_INTERVAL = 0.5
KEY_REFUSED_PAUSE = 5.0
ABORT_TIMEOUT = 30.0
"""An aborted call ends with its denoising step; so long we watch it before we believe it."""


async def end_abandoned_call(client: XinferenceClient, slot: AbandonedCall) -> None:
    """Return once the call is known to be over.

    txt2img: it is aborted. generations, or a call of another installation: it must not be; it is
    over when its progress reads 1.0 or is forgotten, its model process was replaced, or the stall
    limit has passed. A server that cannot be asked is waited for: while it is away, no task could
    use the slot.
    """
    if slot.request_id is None:
        return
    request_id = str(slot.request_id)
    deadline = monotonic() + slot.stall.total_seconds()
    aborted = slot.route != Route.TXT2IMG or not slot.ours
    outage = Outage(logger, "abandoned_call", request=request_id, model=slot.model)
    while monotonic() < deadline:
        if await database_sync_to_async(services.key_is_refused)(now=clock.now()):
            # nobody may ask now: until the key is used again the stall limit alone decides
            await asyncio.sleep(min(KEY_REFUSED_PAUSE, max(0.0, deadline - monotonic())))
            continue
        try:
            if not aborted:
                await client.abort(model=slot.model, request_id=request_id)
                aborted = True
                deadline = min(deadline, monotonic() + ABORT_TIMEOUT)
            fraction = await client.progress(request_id)
            outage.worked()
            if fraction is None or fraction >= 1 or await was_replaced(client, slot):
                return
        except XinferenceKeyRefused:
            await database_sync_to_async(services.refuse_key)(now=clock.now())
        except XinferenceError as error:
            outage.failed(error)
        await asyncio.sleep(POLL_INTERVAL)


async def was_replaced(client: XinferenceClient, slot: AbandonedCall) -> bool:
    """Whether none of the processes that could have the call is there any more.

    Which of them has it is not told; while one of several restarts, it may be another one.
    """
    model = await client.image_model(slot.model)
    if model is None or not (model.ready and model.identity and slot.identity):
        return False
    return not set(model.identity.split(",")) & set(slot.identity.split(","))
