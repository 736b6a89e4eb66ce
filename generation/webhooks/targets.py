"""Which servers messages may go to: public ones, and those that WEBHOOK_ALLOW names.

A user chooses the address, and this process stands inside a network that the user cannot reach.
So the address that is connected to is checked, not the one that is written.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import Self

from django.conf import settings

from generation import limits
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

UNICAST = ipaddress.IPv6Network((0b001 << 125, 3))
"""All public IPv6 addresses so far; the library also calls some others global."""

NOT_PUBLIC: tuple[IPNetwork, ...] = tuple(
    map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20"))
)
"""Special networks that not every version of the library knows."""

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
"""A host name in ASCII; names may begin with an underscore, although hosts should not."""


class NoPublicAddress(Exception):
    """The host has no address, or one that messages may not go to.

    One error for both, so that a user cannot learn which names an internal name server knows.
    """


@dataclass(frozen=True, slots=True)
class AllowedTargets:
    """Networks and host names that are allowed although they are not public."""

    networks: tuple[IPNetwork, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Self:
        """From normalised entries of WEBHOOK_ALLOW."""
        networks: list[IPNetwork] = []
        hosts: set[str] = set()
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError:
                hosts.add(entry)
        return cls(tuple(networks), frozenset(hosts))

    def allow_host(self, host: str) -> bool:
        return host.lower().rstrip(".") in self.hosts

    def allow_address(self, address: IPAddress) -> bool:
        target = embedded(address)
        return any(target in network for network in self.networks)

    def accept(self, address: IPAddress) -> bool:
        return is_public(address) or self.allow_address(address)

    def may_be_plain(self, host: str) -> bool:
        """Whether messages may go there without TLS."""
        address = literal(host)
        return self.allow_host(host) or (address is not None and self.allow_address(address))

    async def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of a host; raises NoPublicAddress unless all of them are accepted."""
        try:
            addresses = await look_up(host, port)
            accepted = self.allow_host(host) or all(
                self.accept(ipaddress.ip_address(address)) for address in addresses
            )
        except (OSError, ValueError) as error:
            raise NoPublicAddress(host) from error
        if not addresses or not accepted:
            raise NoPublicAddress(host)
        return addresses


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host; raises OSError.

    In a thread of its own: a name server of a user may take half a minute, and nothing ends a
    lookup. The threads that asyncio shares would wait for it, and so would the end of the process.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str] | OSError) -> None:
        if result.done():
            return
        if isinstance(found, OSError):
            result.set_exception(found)
        else:
            result.set_result(found)

    def run() -> None:
        found: list[str] | OSError
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = list(dict.fromkeys(str(row[4][0]) for row in rows))
        except OSError as error:
            found = error
        except ValueError as error:
            found = OSError(str(error))
        # the loop may have ended meanwhile
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, found)

    Thread(target=run, daemon=True, name="webhook lookup").start()
    return await result


def configured_targets() -> AllowedTargets:
    return AllowedTargets.of(settings.WEBHOOK_ALLOW)


def embedded(address: IPAddress) -> IPAddress:
    """The IPv4 address that packets to an IPv6 address end at; other addresses unchanged."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def is_public(address: IPAddress) -> bool:
    target = embedded(address)
    if isinstance(target, ipaddress.IPv6Address) and target not in UNICAST:
        return False
    if any(target in network for network in NOT_PUBLIC):
        return False
    return target.is_global and not (target.is_multicast or target.is_reserved)


def literal(host: str) -> IPAddress | None:
    """The address that a host spells, also as `2130706433` or `0x7f.1`; None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    try:
        # as the resolver reads it
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except (OSError, ValueError):
        return None


def readable_url(text: str, targets: AllowedTargets) -> str:
    """The URL as it is stored; raises InvalidInput if messages can never go there."""
    # the one that sends: two libraries might read different hosts. Other processes do not need it
    import httpx

    problem = InvalidInput(ErrorCode.WEBHOOK_URL_INVALID, "url")
    if not 0 < len(text) <= limits.MAX_WEBHOOK_URL:
        raise problem
    try:
        url = httpx.URL(text.strip())
        # as it is looked up; the library encodes an international name only here
        host, port = url.raw_host.decode(), url.port
    except (httpx.InvalidURL, ValueError) as error:
        raise problem from error
    address = literal(host)
    if url.scheme not in ("http", "https") or url.userinfo:
        raise problem
    if port is not None and not 0 < port < 2**16:
        raise problem
    if address is None and not NAME.fullmatch(host):
        raise problem
    if address is not None and not targets.accept(address):
        raise problem
    if url.scheme == "http" and not targets.may_be_plain(host):
        raise problem
    stored = str(url.copy_with(fragment=None))
    # longer than the text: other characters than ASCII are encoded
    if len(stored) > limits.MAX_WEBHOOK_URL:
        raise problem
    return stored
