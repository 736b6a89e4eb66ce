"""Checks REDIS_URL and the connection options after `?`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from urllib.parse import SplitResult, parse_qsl

from generation.http_addresses import ENCODE, host_in_url, split
from generation.invalid_setting import InvalidSetting
from liujuan_site.validators import certificates, folder, private_key

EXAMPLE = "redis://localhost:6379/0"
MAX_DATABASE = 65_535
MAX_SECONDS = 3_600
"""Seconds."""


def redis(value: str) -> str:
    """The URL of a Redis server, normalised; raises InvalidSetting."""
    parts = split(value, {"redis", "rediss", "unix"}, EXAMPLE)
    if parts.fragment:
        raise InvalidSetting(f"holds a #{ENCODE}", EXAMPLE)
    url = socket_file(value, parts) if parts.scheme == "unix" else server(parts)
    check_options(parts)
    try_connection(url)
    return url


def socket_file(value: str, parts: SplitResult) -> str:
    if parts.hostname or not parts.path.strip("/"):
        raise InvalidSetting("names no socket file", "unix:///run/redis/redis.sock")
    return value


def server(parts: SplitResult) -> str:
    if not parts.hostname:
        raise InvalidSetting("has no host", EXAMPLE)
    if not re.fullmatch(r"(/[0-9]*)?", parts.path):
        raise InvalidSetting(f"must end with the number of a database{ENCODE}", EXAMPLE)
    if parts.path[1:]:
        database(parts.path[1:])
    return host_in_url(parts, EXAMPLE).geturl()


def check_options(parts: SplitResult) -> None:
    known = OPTIONS | (TLS_OPTIONS if parts.scheme == "rediss" else {})
    if parts.path[1:] and parts.scheme != "unix":
        known = {name: check for name, check in known.items() if name != "db"}
    try:
        given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise InvalidSetting(
            f"has something behind ? that is not name=value{ENCODE}", EXAMPLE
        ) from None
    names = [name for name, _value in given]
    if len(set(names)) < len(names) or not set(names) <= known.keys():
        raise InvalidSetting(
            f"has an option behind ? twice, or one that is not of these: {', '.join(known)}{ENCODE}"
        )
    for name, option in given:
        try:
            known[name](option)
        except InvalidSetting as error:
            raise InvalidSetting(f"has an option {name} that {error.problem}") from None


def try_connection(url: str) -> None:
    """Raise InvalidSetting if redis-py refuses the arguments in `url`; does not connect."""
    from liujuan_site.redis_layer import redis_host

    try:
        options = redis_host(url)
        options.pop("connection_class")(**options)
    except Exception as error:
        # without the error's message, which may quote the password
        raise InvalidSetting(f"cannot be used ({type(error).__name__})", EXAMPLE) from error


def database(value: str) -> None:
    if not re.fullmatch(r"[0-9]{1,5}", value) or int(value) > MAX_DATABASE:
        raise InvalidSetting(f"is not the number of a database, 0 to {MAX_DATABASE}", EXAMPLE)


def seconds(value: str) -> None:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", value):
        raise InvalidSetting("is not a number of seconds")
    if not 0 < float(value) <= MAX_SECONDS or not math.isfinite(float(value)):
        raise InvalidSetting(f"is not between 0 and {MAX_SECONDS}")


def whole_seconds(value: str) -> None:
    if not re.fullmatch(r"[0-9]{1,4}", value) or int(value) > MAX_SECONDS:
        raise InvalidSetting(f"is not a whole number of seconds up to {MAX_SECONDS}")


def switch(value: str) -> None:
    if value.lower() not in {"1", "true", "yes", "0", "false", "no"}:
        raise InvalidSetting("is neither true nor false")


def name(value: str) -> None:
    if not re.fullmatch(r"[\x21-\x7e]{1,100}", value):
        raise InvalidSetting("is empty or holds a space")


def text(value: str) -> None:
    if not value:
        raise InvalidSetting("is empty")


def requirement(value: str) -> None:
    if value not in {"none", "optional", "required"}:
        raise InvalidSetting("is not one of none, optional, required")


Check = Callable[[str], object]

OPTIONS: dict[str, Check] = {
    "db": database,
    "username": text,
    "password": text,
    "socket_timeout": seconds,
    "socket_connect_timeout": seconds,
    "health_check_interval": whole_seconds,
    "client_name": name,
}
TLS_OPTIONS: dict[str, Check] = {
    "ssl_cert_reqs": requirement,
    "ssl_check_hostname": switch,
    "ssl_ca_certs": certificates,
    "ssl_ca_path": folder,
    "ssl_certfile": certificates,
    "ssl_keyfile": private_key,
}
