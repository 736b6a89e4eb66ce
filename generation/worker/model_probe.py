"""Asks one model server what it serves and records it; every worker does so."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import monotonic
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings

from generation import services
from generation.choices import KeyUse
from generation.clock import clock
from generation.duration_prior import size_bucket
from generation.error_codes import ErrorCode
from generation.exceptions import XinferenceError, XinferenceKeyRefused
from generation.loggable_text import redacted
from generation.models import GenerationTask
from generation.outages import MAX_CAUSES, LogRateLimit, Outage
from generation.services import ModelObservation
from generation.worker.model_outages import ModelOutages
from generation.xinference import ListedModel, ServedModel, XinferenceClient

logger = logging.getLogger(__name__)

PROBE_INTERVAL = 5.0
"""Seconds between two probes of a server that answers."""

PACE_SAMPLE = 20
"""Pictures of a median: few enough to follow a GPU that others use too."""

FIRST_PAUSE, MAX_PAUSE = 1.0, 60.0
"""Seconds before an unusable model is asked again, doubled each time."""

ABSENCE_SHARE = 6
"""A server that is away is asked again after this part of its absence, at most MAX_PAUSE: so its
return is noticed late only by a small part of the time that it was away."""


@dataclass(frozen=True, slots=True)
class ModelBackoff:
    """A model that is listed as ready but whose own responses cannot be used."""

    model: ServedModel
    pause: float
    again_at: float


class ModelProbe:
    """Asks a model server what it serves."""

    def __init__(self, client: XinferenceClient, *, server_id: int, server: str) -> None:
        """`server`: its name, for the log."""
        self.client = client
        self.server_id = server_id
        self.server = server
        limits: dict[str, Any] = {"causes": MAX_CAUSES, "pace": LogRateLimit()}
        self.outage = Outage(logger, "model_server", server=server, **limits)
        self.queue_outage = Outage(logger, "model_queue", server=server, **limits)
        self.outages = ModelOutages(server)
        self.early = True
        """Whether a refused key may be tried before its pause is over: once per start."""
        self.key = KeyUse.ALLOWED
        """Whether the last probe was allowed to send the key."""
        self.away_since: float | None = None
        self.again_at = 0.0
        """When a server that is away may be asked again (monotonic seconds)."""
        self.backoffs: dict[str, ModelBackoff] = {}
        self.paces: defaultdict[tuple[str, str], deque[float]] = defaultdict(
            lambda: deque(maxlen=PACE_SAMPLE)
        )
        """(model, size bucket) → seconds per step of the newest pictures of this worker."""

    @property
    def is_due(self) -> bool:
        return monotonic() >= self.again_at

    def hurry(self) -> None:
        """Let the next probe ask a server that is away, however long it has been."""
        self.again_at = 0.0

    def note_absence(self) -> None:
        self.away_since = monotonic() if self.away_since is None else self.away_since
        self.again_at = monotonic() + absence_pause(monotonic() - self.away_since)

    async def probe(self) -> bool:
        """Ask the server and record what it serves; whether a model is ready."""
        now = clock.now()
        self.key = await database_sync_to_async(services.key_use)(
            server_id=self.server_id, early=self.early, now=now
        )
        self.early = False
        if self.key == KeyUse.REFUSED:
            self.outage.failed(services.key_refused_message(self.server))
            await database_sync_to_async(services.record_refused_key)(
                server_id=self.server_id, now=now
            )
            return False
        try:
            served = await self.read_models()
        except XinferenceKeyRefused:
            self.outage.failed(services.key_refused_message(self.server))
            await database_sync_to_async(services.refuse_key)(server_id=self.server_id, now=now)
            return False
        except XinferenceError as error:
            code = error.code if error.code == ErrorCode.MODEL_LOADING else ErrorCode.MODEL_DOWN
            self.outage.failed(redacted(error.detail) or error)
            if code == ErrorCode.MODEL_DOWN:
                self.note_absence()
            await database_sync_to_async(services.record_unreachable)(
                server_id=self.server_id, code=code, now=now, detail=error.detail
            )
            return False
        self.away_since, self.again_at = None, 0.0
        if self.key == KeyUse.TRIAL:
            await database_sync_to_async(services.accept_key)(server_id=self.server_id)
        self.outage.worked()
        self.outages.update({model.name: unusable_reason(model) for model in served})
        others = await self.other_calls()
        seen = [self.seen(model, others.get(model.name)) for model in served]
        await database_sync_to_async(services.record_models)(
            server_id=self.server_id, seen=seen, now=now
        )
        return any(model.ready for model in served)

    async def other_calls(self) -> dict[str, int]:
        """Model → calls of other programs on the server; empty if its queue is not known."""
        if not self.client.knows_queue:
            return {}
        held_calls = database_sync_to_async(services.held_calls)
        before = await held_calls(server_id=self.server_id)
        try:
            lengths = await self.client.queue_lengths()
        except XinferenceError as error:
            self.queue_outage.failed(redacted(error.detail) or error)
            return {}
        self.queue_outage.worked()
        after = await held_calls(server_id=self.server_id)
        # a call of ours that began or ended meanwhile is not taken for another program's
        return {
            name: max(0, length - max(before[name], after[name]))
            for name, length in lengths.items()
        }

    async def read_models(self) -> Sequence[ServedModel]:
        """Every listed model, usable or not.

        Raises only errors that concern all models: unreadable lists and a refused key.
        """
        listed = await self.client.listed(first=settings.XINFERENCE_MODEL)
        names = {each.name for each in listed}
        self.backoffs = {name: each for name, each in self.backoffs.items() if name in names}
        return await asyncio.gather(*(self.read_model(each) for each in listed))

    async def read_model(self, listed: ListedModel) -> ServedModel:
        """One model; after an unusable response the earlier result until its pause is over."""
        backoff = self.backoffs.get(listed.name)
        if backoff is not None and listed.ready and monotonic() < backoff.again_at:
            return backoff.model
        try:
            model = await self.client.served(listed)
        except XinferenceError as error:
            return self.back_off(listed, error)
        self.backoffs.pop(listed.name, None)
        return model

    def back_off(self, listed: ListedModel, error: XinferenceError) -> ServedModel:
        """Record that a model is unusable and when it may be asked again."""
        before = self.backoffs.get(listed.name)
        pause = FIRST_PAUSE if before is None else min(2 * before.pause, MAX_PAUSE)
        model = self.client.unusable(listed, error)
        self.backoffs[listed.name] = ModelBackoff(model, pause, monotonic() + pause)
        return model

    def note_pace(self, task: GenerationTask, seconds: float) -> None:
        """Note the seconds that this server took for the denoising steps of a picture."""
        bucket = size_bucket(task.width, task.height)
        self.paces[task.model, bucket].append(seconds / task.steps)

    def seen(self, model: ServedModel, other_calls: int | None) -> ModelObservation:
        return ModelObservation(
            name=model.name,
            route=model.route,
            ready=model.ready,
            loading=model.loading,
            replicas=model.replicas,
            identity=model.identity,
            slots=slots_of(settings.GENERATION_SLOTS, model.name, model.replicas),
            error_code=model.error_code,
            error_detail=model.error_detail,
            paces={
                bucket: round(median(paces), 4)
                for (name, bucket), paces in self.paces.items()
                if name == model.name
            },
            other_calls=other_calls,
        )


def absence_pause(seconds: float) -> float:
    """Seconds until a server that has been away for so long is asked again."""
    return min(seconds / ABSENCE_SHARE, MAX_PAUSE)


def unusable_reason(model: ServedModel) -> str:
    """Why a listed model cannot be used; empty if it can."""
    if model.ready:
        return ""
    return redacted(model.error_detail) or (
        "it is loading" if model.loading else "its process is not ready"
    )


def slots_of(setting: str, model: str, replicas: int) -> int:
    """Simultaneous calls of `model`: from GENERATION_SLOTS ("6", or "NAME=2,OTHER=1"), else its
    replicas."""
    for part in filter(None, (each.strip() for each in setting.split(","))):
        name, separator, count = part.rpartition("=")
        if not separator or name == model:
            return int(count)
    return replicas
