"""Checks and normalises URLs and host names of the site in the settings.

Each function takes the value of a variable and returns it normalised, or raises InvalidSetting
with a value to type.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from generation.http_addresses import (
    canonical,
    host_in_url,
    host_name,
    http_parts,
    in_url,
    ip,
    split,
    without_brackets,
)
from generation.invalid_setting import InvalidSetting

DEFAULT_PORTS = {"http": 80, "https": 443}
PUBLIC_EXAMPLE = "https://studio.example"
IDENTITY_EXAMPLE = "https://login.example/realms/main"

PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
UNSPECIFIED = {"0.0.0.0", "::"}  # noqa: S104  names them, binds nothing
LOCAL = {"127.0.0.1", "::1", *UNSPECIFIED}
"""Reached as `localhost`: without HTTPS the only name at which browsers allow passkeys."""


def public(value: str) -> str:
    """An http URL as browsers write it in `Origin`, plus the path below which the site is."""
    parts = http_parts(value, PUBLIC_EXAMPLE)
    if "@" in parts.netloc:
        raise InvalidSetting("must not have a user or a password", PUBLIC_EXAMPLE)
    path = parts.path.rstrip("/")
    if not PATH.fullmatch(path) or not has_plain_parts(path):
        raise InvalidSetting(
            "has a path that is not made of letters, digits, - and _", PUBLIC_EXAMPLE
        )
    host = in_url(no_zone(parts.hostname or "", PUBLIC_EXAMPLE))
    port = "" if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{path}"


def identity_provider(value: str) -> str:
    """The issuer of an OpenID provider: https, or http on this machine; no final slash."""
    parts = http_parts(value, IDENTITY_EXAMPLE)
    if "@" in parts.netloc:
        raise InvalidSetting("must not have a user or a password", IDENTITY_EXAMPLE)
    address = ip(parts.hostname or "")
    is_here = parts.hostname == "localhost" or (address is not None and address.is_loopback)
    if parts.scheme == "http" and not is_here:
        # the answers are believed because of the certificate
        raise InvalidSetting("must begin with https", parts._replace(scheme="https").geturl())
    path = parts.path.removesuffix("/.well-known/openid-configuration").rstrip("/")
    return parts._replace(path=path).geturl()


def alert_target(value: str) -> str:
    """An http URL, private or not, with any path and query."""
    example = "https://hooks.example/liujuan"
    parts = split(value, {"http", "https"}, example)
    if not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise InvalidSetting("has no host, or a user or a # that is not sent", example)
    return host_in_url(parts, example).geturl()


def collector(value: str) -> str:
    """The http URL of a collector, without the path that OTLP adds."""
    example = "http://127.0.0.1:4318"
    parts = http_parts(value, example)
    if "@" in parts.netloc:
        raise InvalidSetting("has a user: set OTEL_EXPORTER_OTLP_HEADERS instead", example)
    if parts.path.rstrip("/").endswith("/v1/traces"):
        raise InvalidSetting("names a path that is added here: leave /v1/traces out", example)
    return parts.geturl().rstrip("/")


def sentry_dsn(value: str) -> str:
    """An address with a key and the number of a project, as Sentry shows it."""
    example = "https://key@sentry.example/1"
    parts = split(value, {"http", "https"}, example)
    project = parts.path.rpartition("/")[2]
    if not parts.hostname or not parts.username or not project.isdecimal():
        raise InvalidSetting("has no host, key or number of a project", example)
    return value


def host(value: str) -> str:
    """A name or address to listen on; IPv6 without its brackets."""
    bare = without_brackets(value)
    if bare == "*":
        raise InvalidSetting("is not an address", "0.0.0.0")  # noqa: S104
    address = ip(bare)
    if address is not None:
        mapped = getattr(address, "ipv4_mapped", None)
        return canonical(mapped or address)
    if "/" in value or ":" in value:
        raise InvalidSetting(
            "must be a name or an address alone: the port is set by PORT", "127.0.0.1"
        )
    return host_name(bare, "127.0.0.1")


def allowed_host(value: str) -> str:
    """A host as Django compares it: IPv6 in brackets, `*` and `.example.com` as they are."""
    if value == "*":
        return value
    if value.startswith("*."):
        raise InvalidSetting(f"holds {value!r}: all names of a domain begin with a dot", value[1:])
    if value.startswith("."):
        return f".{host_name(value[1:], 'studio.example')}"
    address = ip(without_brackets(value))
    if address is not None:
        return in_url(no_zone(canonical(address), "name.example"))
    if "/" in value or ":" in value:
        raise InvalidSetting(
            f"holds {value!r}: write names without scheme, port and path", "name.example"
        )
    return host_name(value, "name.example")


def webhook_target(value: str) -> str:
    """A network, such as 10.0.0.0/8 or that of one address, or a host name without final dot."""
    example = "10.0.0.0/8"
    try:
        return str(ipaddress.ip_network(no_zone(without_brackets(value), example), strict=False))
    except ValueError:
        pass
    if "/" in value or ":" in value:
        raise InvalidSetting(f"holds {value!r}: write networks and names alone", example)
    return host_name(value, example).rstrip(".")


def network(value: str) -> str:
    """A network, such as 10.0.0.0/8 or that of one address."""
    example = "10.0.0.0/8"
    try:
        return str(ipaddress.ip_network(no_zone(without_brackets(value), example), strict=False))
    except ValueError:
        raise InvalidSetting(f"holds {value!r}, which is not a network", example) from None


def listen_address(value: str) -> str:
    """`address:port` to listen on; of a port alone on 127.0.0.1."""
    example = "127.0.0.1:9101"
    name, _colon, port = value.rpartition(":")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 2**16:
        raise InvalidSetting("has no port", example)
    return f"{in_url(host(name)) if name else '127.0.0.1'}:{port}"


def no_zone(value: str, example: str) -> str:
    if "%" in value:
        raise InvalidSetting(f"holds {value!r}: no page can be asked for with a zone", example)
    return value


def has_plain_parts(path: str) -> bool:
    """Whether no part of the path is `.` or `..`, which a client or a proxy would resolve."""
    return not {".", ".."} & set(path.split("/"))


def path_of(url: str) -> str:
    """The path of a public URL: empty, or `/studio`."""
    return urlsplit(url).path


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def host_of(url: str) -> str:
    """The host of a URL as Django compares it: in lower case, without the port."""
    return in_url(urlsplit(url).hostname or "")


def names_of(address: str) -> list[str]:
    """Host names and addresses under which a site that listens on `address` can be reached."""
    if address not in UNSPECIFIED:
        return [in_url(address)]
    names = [socket.gethostname().lower()]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # connecting a datagram socket sends nothing; it only selects the local address
            probe.connect(("192.0.2.1", 9))
            names.append(probe.getsockname()[0])
        except OSError:
            return names
    return names


def urls_of(address: str, port: int) -> list[str]:
    """URLs of a site that listens there: first for this machine, then for others."""
    hosts = ["localhost"] if address in LOCAL else names_of(address)
    if address in UNSPECIFIED:
        hosts += names_of(address)
    return [f"http://{host}:{port}" for host in hosts]
