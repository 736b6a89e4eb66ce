"""Thumbnails of stored images, made when the worker is idle."""

from __future__ import annotations

import logging

from accounts.log_format import log_line
from generation import images, services
from generation.exceptions import DecoderLost, PictureError, StorageError
from generation.outages import cause_of
from generation.worker import decoder
from generation.worker.attempt import Attempt, on_disk
from generation.worker.idle_lock import IdleLock
from generation.worker.picture_call import Stored

logger = logging.getLogger(__name__)


async def make_thumbnail(image: Stored, attempt: Attempt, idle_lock: IdleLock) -> None:
    """Make the thumbnail; after a failure its URL goes on serving the image itself."""
    try:
        async with idle_lock.held():
            small, similarity = await decoder.thumbnail(await on_disk(images.read, image.name))
            thumbnail = await on_disk(images.write_thumbnail, image.name, small)
        if not await attempt.database(
            services.record_thumbnail,
            image_id=image.image_id,
            name=thumbnail,
            # pictures of the demo model all look alike
            similarity=None if attempt.claim.demo else similarity,
        ):
            await on_disk(images.remove, thumbnail)
    except (PictureError, StorageError, DecoderLost, OSError) as error:
        logger.warning("%s", log_line("thumbnail_failed", file=image.name, cause=cause_of(error)))
