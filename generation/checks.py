"""System checks: combinations of settings that do not work, each with what to type instead.

Single values are checked before, in `liujuan_site/environment.py`.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError

from generation import services
from generation.models import ModelServer


@register(Tags.security)
def check_model(**kwargs: Any) -> list[CheckMessage]:
    """The embedded demo model serves one process."""
    shared = settings.REDIS_URL or not settings.IS_SQLITE
    if not shared or not services.uses_demo_model():
        return []
    return [
        Error(
            "DATABASE_URL or REDIS_URL is set, but no model server.",
            hint="Set XINFERENCE_URL=http://host:9997, or XINFERENCE_SERVERS_IN_ADMIN=1 and add "
            "servers in the admin (the demo model serves one process only).",
            id="generation.E001",
        )
    ]


@register(Tags.security)
def check_layer(**kwargs: Any) -> list[CheckMessage]:
    """Several processes need a shared channel layer."""
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
    if settings.IS_SQLITE or settings.SECRET_KEY_GIVEN:
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


@register(Tags.security, deploy=True)
def check_model_server_certificate(**kwargs: Any) -> list[CheckMessage]:
    """Without verification, other hosts on the way can read prompts and the key."""
    found: list[CheckMessage] = []
    if not settings.XINFERENCE_VERIFY:
        found.append(
            Warning(
                "XINFERENCE_VERIFY=0: any server that answers gets the prompts and the key.",
                hint="Set XINFERENCE_CA to the CA of the server, and remove XINFERENCE_VERIFY.",
                id="generation.W011",
            )
        )
    return [*found, *map(unverified, unverified_servers())]


def unverified(name: str) -> Warning:
    return Warning(
        f"The certificate of the model server {name} is not verified: any server that answers "
        "gets the prompts and the key.",
        hint="Give it the file of its CA in the admin, and verify it.",
        id="generation.W011",
    )


def unverified_servers() -> list[str]:
    """Names of the servers that operators added; none if the database cannot be read now."""
    added = ModelServer.objects.filter(from_environment=False, enabled=True, verify=False)
    try:
        return list(added.order_by("name").values_list("name", flat=True))
    except DatabaseError:
        return []


@register(Tags.security)
def check_data_dir(**kwargs: Any) -> list[CheckMessage]:
    """The start restricts DATA_DIR where it can; a volume may belong to another account."""
    if settings.DATA_DIR_IS_CLOSED:
        return []
    return [
        Warning(
            f"Other accounts can read the pictures in {settings.DATA_DIR}.",
            hint=f"Type: chmod o= {settings.DATA_DIR}",
            id="generation.W004",
        )
    ]


@register(Tags.security)
def check_proxies(**kwargs: Any) -> list[CheckMessage]:
    """Without TRUSTED_PROXIES all clients share the proxy's address and one sign-in limit."""
    behind_proxy = settings.ACCEL_REDIRECT or settings.HTTPS
    if settings.TRUSTED_PROXIES or not behind_proxy:
        return []
    return [
        Warning(
            "TRUSTED_PROXIES is not set: limits count the address of the proxy.",
            hint="Set TRUSTED_PROXIES=1 if one proxy in front sets X-Forwarded-For.",
            id="generation.W010",
        )
    ]
