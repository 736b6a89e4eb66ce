"""Sends the request of a row as a role and reads its outcome."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.core.cache import cache, caches
from django.db import transaction
from django.http import HttpResponseBase
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from generation.api import ROUTES
from generation.api.routes import api
from generation.sessions import owner_buckets, request_buckets
from tests.security.ownership import SIGN_IN, Outcome, Row
from tests.security.world import World

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
SHORT = {"task_id": "task", "image_id": "image", "token": "link", "id": "object_id"}
"""Names in patterns → names of what the owner has."""

OF_A_ROW = re.compile(r"admin/(\w+)/(\w+)/<")
OF_THE_API = re.compile(r"(?:api/)?v1/")
ENTRANCE = r"^(?:api|v1)/"
"""The pattern behind which the API has its own."""

RANDOM = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"|"server_time": ?[\d.]+|'
    r"[\da-f]{8}-[\da-f-]{27}|/keys/\d+/"
)
"""Parts of a response that differ each time, and ids that were asked for."""


VARIABLE = {"Expires", "Content-Length"}
"""Headers that vary with the time and its digits."""


def routes() -> set[tuple[str, str]]:
    """(method, address) of everything that can be requested; the method is "" if any may be."""
    pages = set(addresses()) - {ENTRANCE}
    named = {PARAMETER.sub(r"{\1}", each) for each in addresses(ROUTES)} - {""}
    operations = {
        (method.upper(), path.removeprefix("/"))
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method in methods
    }
    others = named - {path for _method, path in operations}
    return {("", each) for each in pages | others} | operations


def addresses(urlconf: str | None = None) -> Iterator[str]:
    return of_resolver(get_resolver(urlconf), "")


def of_resolver(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        address = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLPattern):
            yield address
        else:
            yield from of_resolver(pattern, address)


def path_of(row: Row, address: str, names: Mapping[str, str]) -> str:
    """The path of a request that `row` describes, with the ids of `names`."""
    pattern = PARAMETER.sub(lambda found: f"{{{SHORT.get(found[1], found[1])}}}", address)
    named = dict(names)
    if model := OF_A_ROW.match(address):
        first = apps.get_model(model[1], model[2])._default_manager.order_by("pk").first()
        named["object_id"] = str(first.pk if first else 1)
    return (row.path or f"/{pattern}").format_map(named)


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """`value` with the ids of `names` in all its texts."""
    if isinstance(value, str):
        return value.format_map(names)
    if isinstance(value, list):
        return [filled(each, names) for each in value]
    if isinstance(value, dict):
        return {name: filled(each, names) for name, each in value.items()}
    return value


def send(row: Row, address: str, role: str, world: World, names: Mapping[str, str]) -> Any:
    """The response; nothing that the request changed remains."""
    request_buckets.by_owner.clear()
    owner_buckets.by_owner.clear()
    cache.clear()
    caches["local"].clear()
    world.client.cookies.clear()
    options: dict[str, Any] = {"headers": world.headers(role, bool(OF_THE_API.match(address)))}
    if row.body is not None:
        options["data"] = filled(row.body, names)
        if not row.is_form:
            options["content_type"] = "application/json"
    with transaction.atomic():
        if role == "disabled":
            User.objects.filter(username="owner").update(is_active=False)
        response = getattr(world.client, row.method.lower())(
            path_of(row, address, names), **options
        )
        transaction.set_rollback(True)
    return response


def outcome(response: HttpResponseBase) -> Outcome:
    target = response.headers.get("Location", "").partition("?")[0]
    is_sign_in = target in (reverse("account_login"), reverse("admin:login"))
    return SIGN_IN if is_sign_in else response.status_code


def seen(response: Any) -> list[str]:
    """What a client sees, line by line, without the ids that it asked for."""
    headers = [f"{name}: {value}" for name, value in response.items() if name not in VARIABLE]
    content = b"" if response.streaming else response.content
    text = "\n".join([str(response.status_code), *headers, content.decode()])
    return RANDOM.sub("", text).splitlines()


def differences(row: Row, got: Mapping[str, Outcome]) -> list[str]:
    """Where `got`, by role, is not what the row says."""
    expected = row.outcomes.by_role()
    return [
        f"{row.method} {row.path or row.address}: {role} got {each}, not {expected[role]}"
        for role, each in got.items()
        if each != expected[role]
    ]
