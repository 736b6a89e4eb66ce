"""URLs and host names of the settings: checked, and written in one way.

Each reader takes the typed value and returns it normalised; it raises Unusable with what to type.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import SplitResult, urlsplit

import idna

from liujuan_site.environment import Unusable, without_password

DEFAULT_PORTS = {"http": 80, "https": 443}
MODEL_EXAMPLE = "http://localhost:9997"
PUBLIC_EXAMPLE = "https://studio.example"
REDIS_EXAMPLE = "redis://localhost:6379/0"

MODEL_ENDPOINTS = re.compile(r"/(v1|sdapi|ui|docs)(/.*)?$")
"""Ends of addresses that people copy; the client adds such paths itself."""

ENCODE = "; in a user name or password write @ : / ? # and % as %40 %3A %2F %3F %23 and %25"
HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
UNSPECIFIED = {"0.0.0.0", "::"}  # noqa: S104  names them, binds nothing


def model_server(value: str) -> str:
    """An http URL without a final slash; it may have a user, a password and a path."""
    parts = http_parts(value, MODEL_EXAMPLE)
    path = parts.path.rstrip("/")
    bare = MODEL_ENDPOINTS.sub("", path)
    if bare != path:
        example = without_password(parts._replace(path=bare).geturl())
        raise Unusable(f"must not end with {path[len(bare) :]}", example)
    return parts._replace(path=path).geturl()


def public(value: str) -> str:
    """An http URL as browsers write it in `Origin`, plus the path of a sub-path if there is one."""
    parts = http_parts(value, PUBLIC_EXAMPLE)
    if "@" in parts.netloc:
        raise Unusable("must not have a user or a password", PUBLIC_EXAMPLE)
    path = parts.path.rstrip("/")
    if not PATH.fullmatch(path) or re.search(r"/\.{1,2}(/|$)", path):
        raise Unusable("has a path that is not made of letters, digits, - and _", PUBLIC_EXAMPLE)
    port = "" if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{in_url(ascii_host(parts.hostname or ''))}{port}{path}"


def redis(value: str) -> str:
    parts = split(value, {"redis", "rediss", "unix"}, REDIS_EXAMPLE)
    if parts.scheme == "unix":
        if not parts.path.startswith("/"):
            raise Unusable("names no socket file", "unix:///run/redis/redis.sock")
        return value
    if not parts.hostname:
        raise Unusable("has no host", REDIS_EXAMPLE)
    if not re.fullmatch(r"(/[0-9]*)?", parts.path) or parts.fragment:
        raise Unusable(f"must end with the number of a database{ENCODE}", REDIS_EXAMPLE)
    return value


def host(value: str) -> str:
    """A name or address to listen on; IPv6 without its brackets."""
    bare = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    if bare == "*":
        raise Unusable("is not an address", "0.0.0.0")  # noqa: S104
    if is_ip(bare):
        return bare
    if "/" in value or ":" in value:
        raise Unusable("must be a name or an address alone: the port is set by PORT", "127.0.0.1")
    return host_name(bare, "127.0.0.1")


def allowed_host(value: str) -> str:
    """A host as Django compares it: IPv6 in brackets, `*` and `.example.com` as they are."""
    if value == "*":
        return value
    if value.startswith("*."):
        raise Unusable(f"holds {value!r}: all names of a domain begin with a dot", value[1:])
    if value.startswith("."):
        return f".{host_name(value[1:], 'studio.example')}"
    if is_ip(value.strip("[]")):
        return in_url(value.strip("[]"))
    if "/" in value or ":" in value:
        raise Unusable(
            f"holds {value!r}: write names without scheme, port and path", "name.example"
        )
    return host_name(value, "name.example")


def http_parts(value: str, example: str) -> SplitResult:
    """Scheme in lower case, a host, a port that exists; nothing behind the path."""
    parts = split(value, {"http", "https"}, example)
    if not parts.hostname:
        raise Unusable("has no host", example)
    if "?" in value or "#" in value:
        raise Unusable(f"must not hold ? or #{ENCODE if '@' in value else ''}", example)
    if not is_ip(parts.hostname):
        host_name(parts.hostname, example)
    return parts


def split(value: str, schemes: set[str], example: str) -> SplitResult:
    """The parts of a URL with one of `schemes`; raises Unusable also for a wrong port."""
    if re.search(r"\s", value):
        raise Unusable("holds a space", example)
    scheme, separator, rest = value.partition("://")
    if not separator:
        guess = f"{example.partition('://')[0]}://{value.lstrip('/')}"
        plain = re.fullmatch(r"/*[\w.\[\]-]+(:[0-9]+)?(/[\w.-]*)*", value)
        raise Unusable("has no scheme", guess if plain else example)
    if scheme.lower() not in schemes:
        raise Unusable(
            f"must begin with {' or '.join(f'{each}://' for each in sorted(schemes))}", example
        )
    try:
        parts = urlsplit(f"{scheme.lower()}://{rest}")
        port = parts.port
    except ValueError:
        problem = "has a port that is not a number, or an IPv6 address without [ ]"
        raise Unusable(f"{problem}{ENCODE if '@' in value else ''}", example) from None
    if port == 0 or parts.netloc.count("@") > 1:
        raise Unusable(f"has a host or port that cannot be read{ENCODE}", example)
    return parts


def host_name(value: str, example: str) -> str:
    """In lower case and ASCII."""
    name = ascii_host(value)
    if not HOST_NAME.fullmatch(name) or re.fullmatch(r"[0-9.]+", name):
        raise Unusable(f"holds {value!r}, which is not a host name", example)
    return name


def ascii_host(value: str) -> str:
    """As browsers send it; an international name in its ASCII form."""
    if value.isascii():
        return value.lower()
    try:
        return idna.encode(value, uts46=True).decode("ascii")
    except idna.IDNAError:
        return value


def is_ip(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def path_of(url: str) -> str:
    """The path of a public URL: empty, or `/studio`."""
    return urlsplit(url).path


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def host_of(url: str) -> str:
    """As Django compares it: in lower case, without the port."""
    return in_url(urlsplit(url).hostname or "")


def names_of(address: str) -> list[str]:
    """Hosts under which a site that listens on `address` can be asked for."""
    if address not in UNSPECIFIED:
        return [in_url(address)]
    names = [socket.gethostname().lower()]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # connecting a datagram socket sends nothing: it only chooses the local address
            probe.connect(("192.0.2.1", 9))
            names.append(probe.getsockname()[0])
        except OSError:
            return names
    return names


def urls_of(address: str, port: int) -> list[str]:
    """Where a site that listens there answers: on this machine, then from others."""
    here = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address)  # noqa: S104
    hosts = [*filter(None, [here]), *names_of(address)]
    return [f"http://{host}:{port}" for host in hosts]
