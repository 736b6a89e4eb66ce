"""Reads XINFERENCE_URLS: model servers with their names and keys."""

from __future__ import annotations

import re
from collections.abc import Sequence

from generation import http_addresses
from generation.invalid_setting import InvalidSetting
from generation.limits import MAX_SERVER_NAME
from liujuan_site import validators

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
EXAMPLE = "gpu2=http://gpu2:9997"


def named_server(value: str) -> str:
    """`name=url|key` of `name=url` or `name=url|key`; the URL is normalised, the key may be empty.

    Raises InvalidSetting.
    """
    name, _equals, rest = value.partition("=")
    url, _bar, key = rest.partition("|")
    if not rest or not NAME.fullmatch(name) or len(name) > MAX_SERVER_NAME:
        raise InvalidSetting("has a server without a name of a-z, 0-9, - and _", EXAMPLE)
    address = http_addresses.model_server(url)
    if key and "@" in address:
        raise InvalidSetting(f"has a user and a key for {name}: only one can be sent", EXAMPLE)
    return f"{name}={address}|{validators.api_key(key) if key else ''}"


def by_name(servers: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Name → (URL, key) of what `named_server` returned."""
    found = {}
    for server in servers:
        name, _equals, rest = server.partition("=")
        url, _bar, key = rest.rpartition("|")
        found[name] = (url, key)
    return found
