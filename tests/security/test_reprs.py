"""Secrets do not come into logs and tracebacks by the representation of an object."""

from __future__ import annotations

import dataclasses
import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import accounts
import generation
import liujuan_site
from accounts.credentials import HeldCredential
from accounts.models import ApiToken
from generation.models import WebhookEndpoint
from generation.sessions import Credentials
from generation.xinference.client import XinferenceClient
from liujuan_site.mail import server_of

SECRET = re.compile(r"token|session_key|password|api_key|(\w+_)?secret")


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not re.search(r"\.(migrations|settings|management|asgi)\b", each.name):
            yield import_module(each.name)


def dataclasses_of_ours() -> set[type[Any]]:
    return {
        found
        for package in (accounts, generation, liujuan_site)
        for module in modules(package)
        for found in vars(module).values()
        if inspect.isclass(found)
        and dataclasses.is_dataclass(found)
        and found.__module__ == module.__name__
    }


def test_no_representation_shows_a_secret() -> None:
    classes = dataclasses_of_ours()
    shown = [
        f"{each.__module__}.{each.__qualname__}.{field.name}"
        for each in classes
        for field in dataclasses.fields(each)
        if field.repr and SECRET.fullmatch(field.name)
    ]

    assert len(classes) > 30
    assert shown == []


def test_representations_of_credentials_and_endpoints_hide_their_secrets() -> None:
    shown = repr(
        [
            Credentials(token="lj-hidden", session_key="hidden", address="192.0.2.1"),
            HeldCredential(user_id=1, key="hidden", is_token=False, password="hidden"),
            server_of("smtps://user:hidden@mail.example/?from=studio@mail.example"),
            ApiToken(digest="hidden" + 58 * "0"),
            WebhookEndpoint(secret="hidden", url="https://receiver.example/"),
            XinferenceClient(base_url="http://model.example", api_key="hidden"),
        ]
    )

    assert "hidden" not in shown
