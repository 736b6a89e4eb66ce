"""Values of single settings: checked, and written in one way. Each raises Unusable."""

from __future__ import annotations

import difflib
import re
import ssl
import zoneinfo
from pathlib import Path

from liujuan_site.addresses import PATH
from liujuan_site.environment import Unusable
from liujuan_site.private_files import read_small, refuse_special

SHORTEST_KEY = 20
FEWEST_DIFFERENT = 8
DATA_EXAMPLE = "/var/lib/liujuan"
MOST_SLOTS = 1_000
LONGEST_MODEL_NAME = 200
MOST_BYTES_OF_CERTIFICATES = 4 * 1024 * 1024


def signing_key(value: str) -> str:
    """A key that cannot be guessed: sessions and links are signed with it."""
    if len(value) < SHORTEST_KEY or len(set(value)) < FEWEST_DIFFERENT:
        raise Unusable(
            f"can be guessed: it needs at least {SHORTEST_KEY} random characters, "
            "such as those that `openssl rand -base64 48` prints"
        )
    return value


def data_folder(value: str) -> str:
    """An absolute path without links; `~` is the home of an account."""
    if value.startswith(("$", "%")) or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value):
        raise Unusable("is not a path: $ and file:// mean nothing here", DATA_EXAMPLE)
    try:
        return str(Path(value).expanduser().resolve())
    except (OSError, RuntimeError):
        problem = "is not a path: its ~ names no account, or its links lead in a circle"
        raise Unusable(problem, DATA_EXAMPLE) from None


def api_key(value: str) -> str:
    """A key as it can stand in an HTTP header."""
    if value.lower().startswith("bearer "):
        raise Unusable("begins with Bearer: type the key alone")
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise Unusable("holds a space or a character that is not ASCII: type the key alone")
    return value


def model_name(value: str) -> str:
    if len(value) > LONGEST_MODEL_NAME:
        raise Unusable(f"is longer than {LONGEST_MODEL_NAME} characters")
    return value


def slots(value: str) -> str:
    """`6`, or `NAME=2,OTHER=1`; NAME=0 leaves a model out."""
    parts = [part.rpartition("=") for part in value.split(",")]
    if len(parts) > 1 and not all(name.strip() for name, _separator, _count in parts):
        raise Unusable("is neither a number nor a list of NAME=NUMBER", "NAME=2,OTHER=1")
    for name, separator, count in parts:
        if bool(separator) != bool(name.strip()) or not re.fullmatch(r"[0-9]+", count.strip()):
            raise Unusable("is neither a number nor a list of NAME=NUMBER", "NAME=2,OTHER=1")
        if not (0 if name else 1) <= int(count[:9]) <= MOST_SLOTS:
            raise Unusable(f"has a number that is not between 1 and {MOST_SLOTS}", "6")
    return value


def time_zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = {name.lower(): name for name in zoneinfo.available_timezones()}
        close = difflib.get_close_matches(value.lower(), known, n=1)
        example = known[close[0]] if close else "Asia/Shanghai"
        raise Unusable("is not a time zone that this machine knows", example) from None
    return value


def certificates(value: str) -> str:
    """The path of a file of certificates (PEM) that can be loaded."""
    try:
        refuse_special(value, MOST_BYTES_OF_CERTIFICATES)
        ssl.create_default_context(cafile=value)
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise Unusable(f"is not a file of certificates in PEM form: {reason}") from None
    return value


def private_key(value: str) -> str:
    """The path of a small file."""
    try:
        read_small(value)
    except OSError as error:
        raise Unusable(f"is not a file that can be read: {error.strerror}") from None
    return value


def folder(value: str) -> str:
    if not Path(value).is_dir():
        raise Unusable("is not a folder")
    return value


def internal_path(value: str) -> str:
    """A path in the address space of the proxy, without a final slash."""
    path = value.rstrip("/")
    if not path or not PATH.fullmatch(path):
        raise Unusable("is not a path that begins with a slash", "/_media")
    return path
