"""Checks and normalises http URLs and host names that operators set.

Each function returns the value normalised, or raises InvalidSetting with a value to type.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

import idna

from generation.invalid_setting import InvalidSetting

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

MODEL_EXAMPLE = "http://localhost:9997"
PROXY_EXAMPLE = "http://proxy:3128"
METRICS_EXAMPLE = "http://localhost:9983"

MODEL_ENDPOINTS = re.compile(r"/(v1|sdapi|ui|docs)(/.*)?$")
"""Paths that are often copied with the URL; the client adds them itself."""

ENCODE = "; in a user name or password write @ : / ? # and % as %40 %3A %2F %3F %23 and %25"
HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
MAX_HOST = 253
NETLOC = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(:[0-9]*)?")
"""Host and port, without a user: brackets stand around the whole host or nowhere."""


def model_server(value: str) -> str:
    """An http URL without a final slash; it may have a user, a password and a path."""
    parts = http_parts(value, MODEL_EXAMPLE)
    path = parts.path.rstrip("/")
    bare = MODEL_ENDPOINTS.sub("", path)
    if bare != path:
        example = without_password(parts._replace(path=bare).geturl())
        raise InvalidSetting(f"must not end with {path[len(bare) :]}", example)
    url = parts._replace(path=path).geturl()
    # a command that calls no model server starts a tenth of a second sooner without it
    import httpx

    try:
        # it decodes the host by rules of its own with each request
        _host = httpx.URL(url).host
    except (httpx.InvalidURL, UnicodeError):
        raise InvalidSetting(
            "has a host or a path that cannot be asked for", MODEL_EXAMPLE
        ) from None
    return url


def http_proxy(value: str) -> str:
    """The http URL of a proxy, without a path; it may have a user and a password."""
    parts = http_parts(value, PROXY_EXAMPLE)
    if parts.scheme != "http" or parts.path not in ("", "/"):
        raise InvalidSetting("must be http:// with a host and a port alone", PROXY_EXAMPLE)
    return parts._replace(path="").geturl()


def metrics_address(value: str) -> str:
    """The http URL of a metrics port, without `/metrics`; it may have a path, and no user."""
    parts = http_parts(value, METRICS_EXAMPLE)
    if "@" in parts.netloc:
        raise InvalidSetting("must have no user", METRICS_EXAMPLE)
    path = parts.path.rstrip("/").removesuffix("/metrics").rstrip("/")
    return parts._replace(path=path).geturl()


def http_parts(value: str, example: str) -> SplitResult:
    """The parts of an http URL: lower-case scheme, canonical host, valid port, no query."""
    parts = split(value, {"http", "https"}, example)
    if not parts.hostname:
        raise InvalidSetting("has no host", example)
    if "?" in value or "#" in value:
        raise InvalidSetting(f"must not hold ? or #{ENCODE if '@' in value else ''}", example)
    return host_in_url(parts, example)


def host_in_url(parts: SplitResult, example: str) -> SplitResult:
    """`parts` with the host in canonical form."""
    # `split` has checked that the pattern matches
    user, at, netloc = parts.netloc.rpartition("@")
    raw_host, port = NETLOC.fullmatch(netloc).groups("")  # type: ignore[union-attr]
    address = ip(without_brackets(raw_host))
    host = host_name(raw_host, example) if address is None else in_url(canonical(address))
    return parts._replace(netloc=f"{user}{at}{host}{port}")


def split(value: str, schemes: set[str], example: str) -> SplitResult:
    """The parts of a URL with one of `schemes`; raises InvalidSetting also for a wrong port."""
    if re.search(r"\s", value):
        raise InvalidSetting("holds a space", example)
    scheme, separator, rest = value.partition("://")
    if not separator:
        guess = f"{example.partition('://')[0]}://{value.lstrip('/')}"
        plain = re.fullmatch(r"/*[\w.\[\]-]+(:[0-9]+)?(/[\w.-]*)*", value)
        raise InvalidSetting("has no scheme", guess if plain else example)
    if scheme.lower() not in schemes:
        raise InvalidSetting(
            f"must begin with {' or '.join(f'{each}://' for each in sorted(schemes))}", example
        )
    try:
        parts = urlsplit(f"{scheme.lower()}://{rest}")
        port = parts.port
    except ValueError:
        problem = "has a port that is not a number, or an IPv6 address without [ ]"
        raise InvalidSetting(f"{problem}{ENCODE if '@' in value else ''}", example) from None
    netloc = NETLOC.fullmatch(parts.netloc.rpartition("@")[2])
    if port == 0 or parts.netloc.count("@") > 1 or not netloc:
        raise InvalidSetting(f"has a host or port that cannot be read{ENCODE}", example)
    if netloc[1].startswith("[") and ":" not in canonical_text(netloc[1][1:-1]):
        raise InvalidSetting("has something in [ ] that is not an IPv6 address", example)
    return parts


def host_name(value: str, example: str) -> str:
    """A host name in lower case and ASCII; raises InvalidSetting."""
    name = ascii_host(value)
    # browsers take a name that ends with 0x7f for an IPv4 address
    number = re.fullmatch(r"[0-9.]+|(.*\.)?0x[0-9a-f]*\.?", name)
    if len(name) > MAX_HOST or not HOST_NAME.fullmatch(name) or number:
        raise InvalidSetting(f"holds {value!r}, which is not a host name", example)
    if not all(map(is_label, name.split("."))):
        raise InvalidSetting(f"holds {value!r}, which is not an international host name", example)
    return name


def is_label(label: str) -> bool:
    """Whether one label of a host name is plain, or valid Punycode of a non-ASCII label."""
    if not label.startswith("xn--"):
        return True
    try:
        return not label[4:].encode().decode("punycode").isascii()
    except UnicodeError:
        return False


def ascii_host(value: str) -> str:
    """A host name as browsers send it: international names in their ASCII form."""
    if value.isascii() or len(value) > MAX_HOST:
        return value.lower()
    try:
        return idna.encode(value, uts46=True).decode("ascii")
    except idna.IDNAError:
        return value


def ip(value: str) -> IP | None:
    """The IP address, or None. A zone, `%eth0` or `%25eth0`, needs a link-local address."""
    host, percent, zone = value.partition("%")
    zone = re.sub(r"^25(?=.)", "", zone)
    try:
        address = ipaddress.ip_address(f"{host}{percent}{zone}")
    except ValueError:
        return None
    return None if percent and not address.is_link_local else address


def canonical(address: IP) -> str:
    """The address as browsers write it."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        # Python's form of mapped addresses depends on its version
        return f"::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}"
    return address.compressed


def canonical_text(value: str) -> str:
    """The canonical form of an IP address; empty if `value` is none."""
    address = ip(value)
    return "" if address is None else canonical(address)


def without_brackets(value: str) -> str:
    return value[1:-1] if value.startswith("[") and value.endswith("]") else value


def in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def without_password(url: str) -> str:
    """The URL with `***` in place of user and password, for messages."""
    return re.sub(r"(?<=://).*@", "***@", url, flags=re.DOTALL)
