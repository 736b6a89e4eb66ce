"""Slots with the call of a dead worker."""

from __future__ import annotations

import uuid
from datetime import timedelta

from generation.choices import Route
from generation.services import AbandonedCall
from tests.conftest import MODEL


def abandoned(request_id: uuid.UUID | None, *, identity: str, stall: float) -> AbandonedCall:
    return AbandonedCall(
        server_id=None,
        slot_id=1,
        task_id=uuid.uuid4(),
        correlation_id="",
        attempt=1,
        model=MODEL,
        route=Route.GENERATIONS,
        request_id=request_id,
        identity=identity,
        stall=timedelta(seconds=stall),
    )
