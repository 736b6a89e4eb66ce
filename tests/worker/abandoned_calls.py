"""Slots with the call of a dead worker."""

from __future__ import annotations

import uuid
from datetime import timedelta

from generation.choices import Route
from generation.services import Abandoned
from tests.conftest import MODEL


def abandoned(request_id: uuid.UUID | None, *, identity: str, stall: float) -> Abandoned:
    return Abandoned(
        slot_id=1,
        task_id=uuid.uuid4(),
        attempt=1,
        model=MODEL,
        route=Route.GENERATIONS,
        request_id=request_id,
        identity=identity,
        stall=timedelta(seconds=stall),
    )
