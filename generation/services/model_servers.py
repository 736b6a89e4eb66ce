"""Model servers: the rows of those that the settings name, and how each server is reached."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote, urlsplit

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import transaction

from accounts.secret_box import decrypt
from generation import limits
from generation.exceptions import XinferenceUnreachable
from generation.models import ModelInstance, ModelServer, ModelSlot
from generation.services.model_sums import sum_models
from generation.xinference import ServerConnection, configured_connection, shared_address

DEFAULT_SERVER = "default"
"""Name of the server of XINFERENCE_URL, or of the demo model."""


def uses_demo_model() -> bool:
    """Whether the settings name no model server, and do not leave that to the admin."""
    named = settings.XINFERENCE_URL or settings.XINFERENCE_URLS
    return not (named or settings.XINFERENCE_SERVERS_IN_ADMIN)


def named_servers() -> dict[str, ServerConnection]:
    """Name → connection of the servers that the settings name; the demo model if they name none."""
    urls: Mapping[str, tuple[str, str]] = settings.XINFERENCE_URLS
    shared = configured_connection()
    found = {
        name: replace(shared, url=url, api_key=key, name=name) for name, (url, key) in urls.items()
    }
    if settings.XINFERENCE_URL or uses_demo_model():
        found[DEFAULT_SERVER] = shared
    return found


def addresses_text() -> str:
    """Addresses of the servers that the settings name, which all workers must share."""
    if uses_demo_model():
        return "the embedded demo model"
    named = sorted(named_servers().items())
    texts = [
        address if name == DEFAULT_SERVER else f"{name}={address}"
        for name, address in ((name, shared_address(each.url)) for name, each in named)
    ]
    text = ", ".join(texts) or "servers of the admin"
    return text if len(text) <= limits.MAX_ADDRESSES else hashlib.sha256(text.encode()).hexdigest()


def sync_named_servers(*, now: datetime) -> None:
    """Give each server of the settings a row; one that left the settings is disabled."""
    named = named_servers()
    with transaction.atomic():
        # several workers may start at the same time
        new = [ModelServer(name=name, url=without_user(named[name].url)) for name in sorted(named)]
        ModelServer.objects.bulk_create(new, ignore_conflicts=True)
        servers = ModelServer.objects.select_for_update().filter(name__in=named)
        for server in servers.order_by("name"):
            url = without_user(named[server.name].url)
            if server.from_environment and server.url == url:
                continue
            if not server.from_environment:
                server.from_environment = server.enabled = True
            server.url = url
            server.save()
        gone = ModelServer.objects.filter(from_environment=True).exclude(name__in=named)
        if gone.update(from_environment=False, enabled=False):
            sum_models(now=now)


def record_memory(
    *,
    server_id: int,
    used: int | None,
    gpu_used: int | None,
    gpu_total: int | None,
    now: datetime,
) -> None:
    """Note the memory that a server publishes, in bytes."""
    ModelServer.objects.filter(pk=server_id).update(
        memory=used, gpu_memory=gpu_used, gpu_memory_total=gpu_total, memory_at=now
    )


def model_servers() -> list[ModelServer]:
    return list(ModelServer.objects.order_by("name"))


def without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def connection_of(server: ModelServer) -> ServerConnection:
    """How to reach a server; raises XinferenceUnreachable if its key is not known here.

    If the URL has a user name, the key is the password.
    """
    if server.from_environment:
        named = named_servers().get(server.name)
        if named is None:
            raise XinferenceUnreachable(
                f"the settings of this worker name no server {server.name}: restart it with them"
            )
        return replace(named, metrics_url=server.metrics_url)
    key = key_of(server)
    parts = urlsplit(server.url)
    user, at, host = parts.netloc.rpartition("@")
    password = quote(key, safe="")
    url = parts._replace(netloc=f"{user}:{password}@{host}").geturl() if at else server.url
    return ServerConnection(
        url=url,
        api_key="" if at else key,
        ca_file=server.ca_file,
        client_certificate=server.client_certificate,
        verify=server.verify,
        proxy=server.proxy,
        metrics_url=server.metrics_url,
        name=server.name,
    )


def key_of(server: ModelServer) -> str:
    """The key of a server that no setting names; empty if it needs none."""
    if server.key_variable:
        key = os.environ.get(server.key_variable, "").strip()
        if not key:
            raise XinferenceUnreachable(
                f"{server.key_variable}, which holds the key of {server.name}, is not set here"
            )
        return key
    try:
        return decrypt(server.encrypted_key) if server.encrypted_key else ""
    except InvalidToken:
        raise XinferenceUnreachable(
            f"SECRET_KEY has changed since the key of {server.name} was stored: enter it again"
        ) from None


def key_fingerprint(server: ModelServer) -> str:
    """Digest of key and URL, because another server has not refused the key."""
    connection = connection_of(server)
    parts = f"key:{connection.api_key}\0{connection.url.rstrip('/')}"
    return hashlib.sha256(parts.encode()).hexdigest()


def is_refused_key(server: ModelServer) -> bool:
    """Whether the server refused the key that this process has for it."""
    if not server.refused_key:
        return False
    try:
        return server.refused_key == key_fingerprint(server)
    except XinferenceUnreachable:
        return False  # nothing is sent without the key


def is_paused_key(server: ModelServer, *, now: datetime) -> bool:
    """Whether the key that this process has for the server must not be sent now."""
    until = server.refused_until
    return until is not None and until > now and is_refused_key(server)


def held_calls(*, server_id: int) -> Counter[str]:
    """Model → slots of the server that are held."""
    held = ModelSlot.objects.filter(instance__server=server_id, task__isnull=False)
    return Counter(held.values_list("model", flat=True))


def has_calls(*, server_id: int) -> bool:
    return ModelSlot.objects.filter(instance__server=server_id, task__isnull=False).exists()


def delete_server(*, server_id: int, now: datetime) -> bool:
    """Delete a server that no setting names; False if it holds calls or a setting names it."""
    with transaction.atomic():
        server = ModelServer.objects.select_for_update().filter(pk=server_id).first()
        if server is None or server.from_environment:
            return False
        # a claim may hold one of them in a transaction that has not ended
        slots = ModelSlot.objects.select_for_update(of=("self",)).filter(instance__server=server_id)
        if any(slot.task_id is not None for slot in slots):
            return False
        ModelSlot.objects.filter(pk__in=[slot.pk for slot in slots]).delete()
        ModelInstance.objects.filter(server=server_id).delete()
        server.delete()
        sum_models(now=now)
    return True
