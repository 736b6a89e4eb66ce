"""The look at the model server that every worker takes, and what it writes down."""

from __future__ import annotations

import logging

from channels.db import database_sync_to_async
from django.conf import settings

from generation import services
from generation.choices import ErrorCode
from generation.exceptions import XinferenceError, XinferenceKeyRefused
from generation.selectors import clock
from generation.services import SeenModel
from generation.xinference import ServedModel, XinferenceClient

logger = logging.getLogger(__name__)


class ModelWatch:
    """Asks the model server what it serves; `look` says whether anything is ready."""

    def __init__(self, client: XinferenceClient, *, demo: bool) -> None:
        self.client = client
        self.demo = demo
        self.told_refused = False

    async def look(self) -> bool:
        now = clock.now()
        if await database_sync_to_async(services.key_is_refused)(now=now):
            await database_sync_to_async(services.repeat_refusal)(now=now)
            self.tell_refused()
            return False
        try:
            served = await self.client.image_models()
        except XinferenceKeyRefused:
            await database_sync_to_async(services.refuse_key)(now=now)
            self.tell_refused()
            return False
        except XinferenceError as error:
            code = error.code if error.code == ErrorCode.MODEL_LOADING else ErrorCode.MODEL_DOWN
            await database_sync_to_async(services.record_unreachable)(code=code, now=now)
            return False
        self.told_refused = False
        seen = [self.seen(model) for model in served]
        await database_sync_to_async(services.record_models)(seen=seen, demo=self.demo, now=now)
        return any(model.ready for model in served)

    def tell_refused(self) -> None:
        """Once: it stays so until somebody changes the key, or for a quarter of an hour."""
        if not self.told_refused:
            logger.error("the model server refused our key; it is not sent again for a while")
            self.told_refused = True

    def seen(self, model: ServedModel) -> SeenModel:
        return SeenModel(
            name=model.name,
            route=model.route,
            ready=model.ready,
            loading=model.loading,
            replicas=model.replicas,
            identity=model.identity,
            slots=slots_of(settings.GENERATION_SLOTS, model.name, model.replicas),
        )


def slots_of(setting: str, model: str, replicas: int) -> int:
    """Calls in flight for `model`: GENERATION_SLOTS ("6", or "NAME=2,OTHER=1") or its replicas."""
    for part in filter(None, (each.strip() for each in setting.split(","))):
        name, separator, count = part.rpartition("=")
        if not separator or name == model:
            return int(count)
    return replicas
