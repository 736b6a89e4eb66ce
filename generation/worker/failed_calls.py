"""Finds out why a call failed."""

from __future__ import annotations

import asyncio
import logging

from generation import services
from generation.choices import InterruptReason
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import (
    XinferenceAborted,
    XinferenceError,
    XinferenceFailed,
    XinferenceKeyRefused,
    XinferenceNotBegun,
    XinferenceUnreachable,
)
from generation.worker.attempt import Attempt

MODEL_CHECKS, MODEL_CHECK_PAUSE = 4, 1.2
"""Checks after a failure and seconds between them; together longer than the 3 s for which
Xinference caches its list of models."""


async def interrupt_reason(attempt: Attempt, error: XinferenceError) -> InterruptReason:
    """Why the attempt is interrupted; records what the error says about the model server."""
    if isinstance(error, XinferenceKeyRefused):
        await attempt.database(
            services.refuse_key, server_id=attempt.claim.server_id, now=clock.now()
        )
        return InterruptReason.KEY_REFUSED
    if isinstance(error, XinferenceAborted):
        return InterruptReason.CALL_ABORTED
    if isinstance(error, XinferenceNotBegun):
        # the next probe finds the process that is gone
        return InterruptReason.MODEL_DOWN
    if isinstance(error, XinferenceFailed):
        reason = await check_model(attempt, error)
        if reason == InterruptReason.MODEL_LOST:
            await attempt.database(
                services.record_lost_model,
                server_id=attempt.claim.server_id,
                name=attempt.task.model,
                identity=attempt.claim.identity,
                now=clock.now(),
            )
        return reason
    await record_model_down(attempt, error)
    return InterruptReason.MODEL_DOWN


async def check_model(attempt: Attempt, error: XinferenceFailed) -> InterruptReason:
    """After a 500 or a dropped connection: whether the model process died or only failed.

    It is checked several times, because the server lists a dead process for some seconds.
    Raises the reason if the run is stopped meanwhile.
    """
    for check in range(MODEL_CHECKS):
        if check:
            await attempt.unless_stopped(asyncio.sleep(MODEL_CHECK_PAUSE))
        try:
            model = await attempt.unless_stopped(attempt.client.image_model(attempt.task.model))
        except XinferenceUnreachable as away:
            await record_model_down(attempt, away)
            return InterruptReason.MODEL_LOST
        except XinferenceError as unreadable:
            # its lists are unusable while it restarts a model
            attempt.log(logging.INFO, "instances_unreadable", unreadable)
            return InterruptReason.MODEL_LOST
        if model is None or not model.ready or model.identity != attempt.claim.identity:
            return InterruptReason.MODEL_LOST
    return InterruptReason(error.code.value)


async def record_model_down(attempt: Attempt, error: XinferenceError) -> None:
    await attempt.database(
        services.record_unreachable,
        server_id=attempt.claim.server_id,
        code=ErrorCode.MODEL_DOWN,
        detail=error.detail,
        now=clock.now(),
    )
