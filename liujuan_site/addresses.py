"""Checks and normalises URLs and host names in the settings.

Each function takes the value of a variable and returns it normalised, or raises InvalidSetting
with a value to type.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import SplitResult, urlsplit

import idna

from liujuan_site.environment import InvalidSetting, without_password

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

DEFAULT_PORTS = {"http": 80, "https": 443}
MODEL_EXAMPLE = "http://localhost:9997"
PROXY_EXAMPLE = "http://proxy:3128"
PUBLIC_EXAMPLE = "https://studio.example"
IDENTITY_EXAMPLE = "https://login.example/realms/main"

MODEL_ENDPOINTS = re.compile(r"/(v1|sdapi|ui|docs)(/.*)?$")
"""Paths that are often copied with the URL; the client adds them itself."""

ENCODE = "; in a user name or password write @ : / ? # and % as %40 %3A %2F %3F %23 and %25"
HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
MAX_HOST = 253
NETLOC = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(:[0-9]*)?")
"""Host and port, without a user: brackets stand around the whole host or nowhere."""
PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
UNSPECIFIED = {"0.0.0.0", "::"}  # noqa: S104  names them, binds nothing
LOCAL = {"127.0.0.1", "::1", *UNSPECIFIED}
"""Reached as `localhost`: without HTTPS the only name at which browsers allow passkeys."""


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


def no_zone(value: str, example: str) -> str:
    if "%" in value:
        raise InvalidSetting(f"holds {value!r}: no page can be asked for with a zone", example)
    return value


def has_plain_parts(path: str) -> bool:
    """Whether no part of the path is `.` or `..`, which a client or a proxy would resolve."""
    return not {".", ".."} & set(path.split("/"))


def without_brackets(value: str) -> str:
    return value[1:-1] if value.startswith("[") and value.endswith("]") else value


def in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


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
