"""Rests of model servers whose calls fail, and the trial calls after them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from generation import broadcast
from generation.limits import RECENT_CALLS
from generation.models import ModelInstance, ModelServer, ModelSlot
from generation.services.model_sums import sum_models

MAX_FAILURES = 3
"""Of the RECENT_CALLS calls of a server; one more failure than two bad tasks cause."""

FIRST_REST, MAX_REST = timedelta(seconds=15), timedelta(minutes=5)
"""Doubled for each trial call that fails."""

CHANGED = ("recent_calls", "rested_until", "rests")


def record_call(
    *,
    server_id: int,
    model: str,
    succeeded: bool,
    was_trial: bool,
    now: datetime,
    refused: bool = False,
) -> bool:
    """Record how a call ended; a server that fails too often is rested, one that works is not.

    One that `refused` the model refuses every call, at once: it is rested after the first. The
    last server of a model is not rested: its tasks could only wait. True if the server rests.
    """
    with transaction.atomic():
        server = ModelServer.objects.select_for_update().filter(pk=server_id).first()
        if server is None:
            return False
        is_resting = server.rested_until is not None
        recent = (server.recent_calls + ("o" if succeeded else "x"))[-RECENT_CALLS:]
        server.recent_calls = recent if "x" in recent else ""
        if succeeded and is_resting:
            server.recent_calls, server.rested_until, server.rests = "", None, 0
            transaction.on_commit(broadcast.wake_workers, robust=True)
        elif not succeeded and (
            was_trial
            if is_resting
            else (refused or recent.count("x") >= MAX_FAILURES) and has_other_server(server, model)
        ):
            server.rested_until = now + min(MAX_REST, FIRST_REST * 2**server.rests)
            server.rests = min(server.rests + 1, 10)
        server.save(update_fields=CHANGED)
        if is_resting != (server.rested_until is not None):
            sum_models(now=now)
        return server.rested_until is not None


def has_other_server(server: ModelServer, model: str) -> bool:
    others = ModelInstance.objects.filter(model=model, ready=True).exclude(server=server)
    awake = others.filter(server__enabled=True, server__draining=False, server__rested_until=None)
    return awake.exists()


def begin_trial(server: ModelServer, *, now: datetime) -> bool:
    """Whether the caller may send the one call that tries a rested server.

    No other worker may until the call has ended, or FIRST_REST has passed without a call.
    """
    held = ModelSlot.objects.filter(instance__server=OuterRef("pk"), task__isnull=False)
    unchanged = ModelServer.objects.filter(pk=server.pk, rested_until=server.rested_until)
    return bool(unchanged.exclude(Exists(held)).update(rested_until=now + FIRST_REST))
