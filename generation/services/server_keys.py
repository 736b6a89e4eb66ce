"""Refused keys of model servers: each pauses, and one caller at a time tries it again."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from generation.choices import KeyUse
from generation.error_codes import ErrorCode
from generation.models import ModelInstance, ModelServer
from generation.services.model_servers import (
    DEFAULT_SERVER,
    is_paused_key,
    is_refused_key,
    key_fingerprint,
)
from generation.services.model_status import record_unreachable
from generation.services.model_sums import sum_models

REFUSED_KEY_PAUSE = timedelta(minutes=15)
"""Pause of a refused key; ten refusals in five minutes ban an address for an hour."""

KEY_TRY_INTERVAL = timedelta(seconds=60)
"""Time between tries of a refused key by all processes together, so that even workers that restart
often make at most five tries in five minutes."""

UNSEEN_AFTER = timedelta(seconds=15)
"""Three probes of a worker: an older state was left by a worker that is gone."""


def key_refused_message(server: str) -> str:
    """For the operator, in the log and in the rows of the server with this name."""
    if server == DEFAULT_SERVER and settings.XINFERENCE_URL:
        return (
            "the model server refused our key: correct XINFERENCE_API_KEY and restart the workers"
        )
    return (
        f"the server {server} refused our key: correct it in the admin, or in XINFERENCE_URLS and "
        "restart the workers"
    )


def key_use(*, server_id: int, early: bool = False, now: datetime) -> KeyUse:
    """Whether the key may be sent now; a refused one may be tried by one caller at a time.

    A try is due once the pause is over. `early`: it may come before, because a worker starts or an
    operator asks, and the key may have been accepted by the server since.
    """
    with transaction.atomic():
        server = ModelServer.objects.select_for_update().filter(pk=server_id).first()
        if server is None or not is_refused_key(server):
            return KeyUse.ALLOWED
        until, tried = server.refused_until or now, server.key_tried_at
        rested = tried is None or now - tried >= KEY_TRY_INTERVAL
        if not rested or (until > now and not early):
            return KeyUse.REFUSED
        # no other process sends the key until the outcome of this try is known
        server.key_tried_at, server.refused_until = now, max(until, now + KEY_TRY_INTERVAL)
        server.save(update_fields=["key_tried_at", "refused_until"])
    return KeyUse.TRIAL


def accept_key(*, server_id: int) -> None:
    """Record that the server accepted a key that it had refused."""
    with transaction.atomic():
        server = ModelServer.objects.select_for_update().filter(pk=server_id).first()
        if server is not None and is_refused_key(server):
            server.refused_key, server.refused_until = "", None
            server.save(update_fields=["refused_key", "refused_until"])


def refuse_key(*, server_id: int, now: datetime) -> None:
    """Record that the server refused the key: it is not sent until the pause is over."""
    with transaction.atomic():
        server = ModelServer.objects.select_for_update().filter(pk=server_id).first()
        if server is None:
            return
        server.refused_key = key_fingerprint(server)
        server.refused_until = now + REFUSED_KEY_PAUSE
        server.save(update_fields=["refused_key", "refused_until"])
        record_unreachable(
            server_id=server_id,
            code=ErrorCode.KEY_REFUSED,
            now=now,
            detail=key_refused_message(server.name),
        )


def record_refused_key(*, server_id: int, now: datetime) -> None:
    """Record the refused key for models that no worker with an accepted key probes."""
    with transaction.atomic():
        server = ModelServer.objects.filter(pk=server_id).first()
        if server is None:
            return
        detail = key_refused_message(server.name)
        refused = {"error_code": ErrorCode.KEY_REFUSED, "error_detail": detail}
        unseen = ModelInstance.objects.filter(server=server_id, checked_at__lt=now - UNSEEN_AFTER)
        if unseen.update(ready=False, loading=False, checked_at=now, **refused):
            ModelServer.objects.filter(pk=server_id).update(checked_at=now, **refused)
            sum_models(now=now)


def key_is_refused(*, server_id: int, now: datetime) -> bool:
    server = ModelServer.objects.filter(pk=server_id).first()
    return server is not None and is_paused_key(server, now=now)
