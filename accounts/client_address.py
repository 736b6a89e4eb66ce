"""Client addresses of requests and handshakes, for limits and logs."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"
"""Address of a peer on a Unix socket."""

IPV6_PREFIX = 64
"""Prefix that providers give to one customer: one client for our limits."""


def client_address(source: HttpRequest | Mapping[str, Any]) -> str:
    """The client's address, of a request or of an ASGI scope.

    With TRUSTED_PROXIES = n it is the n-th address from the right of X-Forwarded-For: each of our
    proxies appends one. Addresses further left come from the client.
    """
    if isinstance(source, HttpRequest):
        peer = source.META.get("REMOTE_ADDR") or ""
        forwarded = source.META.get("HTTP_X_FORWARDED_FOR", "")
    else:
        peer = (source.get("client") or ("",))[0]
        forwarded = ",".join(
            value.decode("latin-1")
            for name, value in source.get("headers", ())
            if name.lower() == b"x-forwarded-for"
        )
    return behind_proxies(peer, forwarded, settings.TRUSTED_PROXIES)


def behind_proxies(peer: str, forwarded: str, proxies: int) -> str:
    """The forwarded address; the peer if fewer addresses were forwarded than `proxies`."""
    chain = forwarded.split(",")
    if 0 < proxies <= len(chain):
        found = parsed(chain[-proxies])
        if found is not None:
            return str(found)
    return str(parsed(peer) or UNKNOWN)


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """The address without brackets, port and zone; mapped IPv4 as IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def client_network(address: str) -> str:
    """The unit of limits: an IPv4 address, or the /64 of an IPv6 address."""
    found = parsed(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found, IPV6_PREFIX), strict=False))
    return address
