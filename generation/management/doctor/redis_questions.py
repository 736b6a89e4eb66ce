"""Redis: what one process writes or sends, another one reads or receives."""

from __future__ import annotations

import asyncio
import sys
import uuid
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.cache import caches

from generation.management.doctor import redis_peer
from generation.management.doctor.answers import Answer, Section, no, skipped, yes
from generation.outages import cause_of

TIMEOUT = 15.0
"""Seconds for the other process to start, read and answer."""

HINT = "start Redis; compare REDIS_URL and SECRET_KEY of all processes"


def does_redis_connect_processes() -> Answer:
    """Another process reads a value from the cache and sends it back through the channel layer."""
    question = "Does Redis connect two processes, by the cache and the channel layer?"
    if not settings.REDIS_URL:
        return skipped(question, "REDIS_URL is not set: there is one process only")
    key = f"doctor.{uuid.uuid4().hex}"
    value = uuid.uuid4().hex
    try:
        # without the failover to the memory of this process
        caches["shared"].set(key, value, timeout=60)
        received = asyncio.run(answer_of_peer(key))
    except TimeoutError:
        return no(question, "no message arrived", hint=HINT, see=Section.WATCH)
    except Exception as error:  # noqa: BLE001  whatever the drivers raise is the answer
        return no(question, cause_of(error), hint=HINT, see=Section.WATCH)
    if received != value:
        found = "a message arrived, but the cache is not shared"
        return no(question, found, hint=HINT, see=Section.WATCH)
    return yes(question)


async def answer_of_peer(key: str) -> str:
    """What the other process read; it repeats its message until this one ends it."""
    layer: Any = get_channel_layer()
    async with asyncio.timeout(TIMEOUT):
        peer = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", redis_peer.__name__, key),
            cwd=settings.BASE_DIR,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            message = await layer.receive(key)
        finally:
            if peer.returncode is None:
                peer.kill()
            await peer.wait()
    return str(message["value"])


QUESTIONS = (does_redis_connect_processes,)
