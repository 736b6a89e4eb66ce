"""System checks: mistakes in the settings, each with what to type instead."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

SHORTEST_LEASE = timedelta(seconds=3)


@register(Tags.security)
def check_model(**kwargs: Any) -> list[CheckMessage]:
    """The embedded demo model is for one process only."""
    if settings.XINFERENCE_URL or not (settings.DATABASE_URL or settings.REDIS_URL):
        return []
    return [
        Error(
            "DATABASE_URL or REDIS_URL is set, but no model server.",
            hint="Set XINFERENCE_URL=http://host:9997 (the demo model serves one process only).",
            id="generation.E001",
        )
    ]


@register(Tags.security)
def check_slots(**kwargs: Any) -> list[CheckMessage]:
    if re.fullmatch(r"(\d+|[^=,]+=\d+(,[^=,]+=\d+)*)?", settings.GENERATION_SLOTS.strip()):
        return []
    return [
        Error(
            f"GENERATION_SLOTS={settings.GENERATION_SLOTS!r} cannot be read.",
            hint="Set GENERATION_SLOTS=6, or GENERATION_SLOTS=NAME=2,OTHER=1.",
            id="generation.E002",
        )
    ]


@register(Tags.security)
def check_lease(**kwargs: Any) -> list[CheckMessage]:
    """A worker looks at itself once a second, and lets go at two thirds of its lease."""
    if settings.GENERATION_LEASE >= SHORTEST_LEASE:
        return []
    return [
        Error(
            f"GENERATION_LEASE={settings.GENERATION_LEASE.total_seconds():g} is too short.",
            hint="Set GENERATION_LEASE=30; below 10 a slow database looks like a dead worker.",
            id="generation.E003",
        )
    ]


@register(Tags.security)
def check_layer(**kwargs: Any) -> list[CheckMessage]:
    """Several processes need a layer between them."""
    if settings.REDIS_URL or settings.EMBEDDED_WORKER:
        return []
    return [
        Warning(
            "EMBEDDED_WORKER=0 without REDIS_URL: workers are reached only by their polling.",
            hint="Set REDIS_URL=redis://host:6379/0.",
            id="generation.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_secret(**kwargs: Any) -> list[CheckMessage]:
    """Hosts that share a database do not share DATA_DIR/secret_key, and need one key."""
    if not settings.DATABASE_URL or settings.SECRET_KEY_GIVEN:
        return []
    return [
        Warning(
            "SECRET_KEY is not set: another host would make its own, and refuse our sessions.",
            hint="Set SECRET_KEY to the same long random text on every host.",
            id="generation.W003",
        )
    ]


@register(Tags.security, deploy=True)
def check_address(**kwargs: Any) -> list[CheckMessage]:
    if settings.PUBLIC_URL:
        return []
    return [
        Warning(
            "PUBLIC_URL is not set: socket origins are compared with the Host header.",
            hint="Set PUBLIC_URL=https://your.host.",
            id="generation.W002",
        )
    ]
