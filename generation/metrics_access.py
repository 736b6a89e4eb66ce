"""Access to `/metrics`: by METRICS_KEY, by METRICS_NETWORKS, else from this machine alone."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterable

from django.conf import settings
from django.utils.crypto import constant_time_compare

from accounts.client_address import behind_proxies, parsed

LOOPBACK = ("127.0.0.0/8", "::1/128")

PORT = re.compile(r":\d+$")

FORWARDING = ("x-forwarded-for", "forwarded", "x-real-ip", "via")
"""Headers that proxies add: the address of the connection is not the client's."""


def may_read_metrics(headers: dict[str, str], peer: str, *, proxies: int) -> bool:
    """Whether a request with these headers (by lower-case name) may read metrics.

    `peer`: the address of the connection. `proxies`: how many of ours stand before this port.
    """
    if has_key(headers.get("authorization", "")):
        return True
    is_forwarded = any(headers.get(name) for name in FORWARDING)
    if settings.METRICS_NETWORKS:
        if is_forwarded and not proxies:
            return False
        forwarded = headers.get("x-forwarded-for", "")
        address = behind_proxies(peer, forwarded, proxies)
        return is_within(address, settings.METRICS_NETWORKS)
    if settings.METRICS_KEY or is_forwarded:
        return False
    return is_within(peer, LOOPBACK) and is_this_machine(headers.get("host", "localhost"))


def is_this_machine(host: str) -> bool:
    """Whether a `Host` header names this machine: a proxy without FORWARDING passes on its own."""
    name = host.rpartition(":")[0] if PORT.search(host) else host
    return name == "localhost" or is_within(name.strip("[]"), LOOPBACK)


def has_key(authorization: str) -> bool:
    """Whether the header has METRICS_KEY, as a bearer token or as the password of any user."""
    scheme, _space, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return False
    elif scheme.lower() != "bearer":
        return False
    return bool(settings.METRICS_KEY) and constant_time_compare(value.strip(), settings.METRICS_KEY)


def is_within(address: str, networks: Iterable[str]) -> bool:
    found = parsed(address)
    return found is not None and any(found in ipaddress.ip_network(each) for each in networks)
