"""`python -m generation.management.doctor.redis_peer KEY`: the other process of `redis_questions`.

It needs settings, but no applications and no database.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from channels.layers import get_channel_layer
from django.core.cache import caches

PAUSE = 0.2
"""Seconds between messages: Redis confirms a subscription before it delivers to it."""


async def send_what_is_in_the_cache(key: str) -> None:
    """Send it to the channel `key` until this process is ended."""
    layer: Any = get_channel_layer()
    value = await caches["shared"].aget(key, "")
    while True:
        await layer.send(key, {"type": "doctor.answer", "value": value})
        await asyncio.sleep(PAUSE)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liujuan_site.settings")
    asyncio.run(send_what_is_in_the_cache(sys.argv[1]))
