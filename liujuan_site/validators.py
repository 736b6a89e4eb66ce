"""Validators of single settings; each returns the normalised value or raises InvalidSetting."""

from __future__ import annotations

import difflib
import re
import ssl
import zoneinfo
from pathlib import Path

from generation.invalid_setting import InvalidSetting
from generation.limits import MAX_MODEL_NAME, MAX_SLOTS
from liujuan_site.addresses import PATH, has_plain_parts
from liujuan_site.log_config import FORMATTERS
from liujuan_site.private_files import read_small, refuse_special

MIN_KEY = 20
MIN_DISTINCT = 8
DATA_EXAMPLE = "/var/lib/liujuan"
SLOTS_EXAMPLE = "NAME=2,OTHER=1"
ZONE_EXAMPLE = "Asia/Shanghai"
PSEUDO_ZONES = {"localtime", "posixrules", "factory"}
"""Zone names that exist on some machines and mean something else on each."""

ABBREVIATIONS = {
    "jst": "Asia/Tokyo",
    "kst": "Asia/Seoul",
    "ist": "Asia/Kolkata",
    "bst": "Europe/London",
    "cest": "Europe/Berlin",
    "edt": "America/New_York",
    "cdt": "America/Chicago",
    "mdt": "America/Denver",
    "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles",
}
SIGN_UP = ("closed", "invite", "open")
REVIEW = ("after", "before")
MAX_CERTIFICATE_BYTES = 4 * 1024 * 1024


def signing_key(value: str) -> str:
    """A key for signing sessions that is long and varied enough not to be guessed."""
    if len(value) < MIN_KEY or len(set(value)) < MIN_DISTINCT:
        raise InvalidSetting(
            f"can be guessed: it needs at least {MIN_KEY} random characters, "
            "such as those that `openssl rand -base64 48` prints"
        )
    return value


def data_folder(value: str) -> str:
    """An absolute path with links and `~` resolved."""
    if "$" in value or value.startswith("%") or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value):
        raise InvalidSetting("is not a path: $ and file:// mean nothing here", DATA_EXAMPLE)
    try:
        return str(Path(value).expanduser().resolve())
    except (OSError, RuntimeError):
        problem = "is not a path: its ~ names no account, or its links lead in a circle"
        raise InvalidSetting(problem, DATA_EXAMPLE) from None


def api_key(value: str) -> str:
    """A key that is valid in an HTTP header."""
    if value.lower().startswith("bearer "):
        raise InvalidSetting("begins with Bearer: type the key alone")
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise InvalidSetting("holds a space or a character that is not ASCII: type the key alone")
    return value


def webhook_secret(value: str) -> str:
    """A secret of Standard Webhooks."""
    # its library is of no use to installations without one
    from generation.webhooks import is_secret

    if not is_secret(value):
        raise InvalidSetting("is not whsec_ and 24 to 64 bytes in base64")
    return value


def model_name(value: str) -> str:
    """A name that is valid in the path of a URL and in GENERATION_SLOTS."""
    if len(value) > MAX_MODEL_NAME:
        raise InvalidSetting(f"is longer than {MAX_MODEL_NAME} characters")
    if re.search(r"""[\s?#%&=;,"'`<>\\]""", value) or not has_plain_parts(value):
        raise InvalidSetting("is not the name of a model")
    return value


def slots(value: str) -> str:
    """`6`, or `NAME=2,OTHER=1`; NAME=0 leaves a model out."""
    if re.fullmatch(r"[0-9]+", value):
        return count_of(value, least=1) and value
    names = [slots_of_model(part.strip()) for part in value.split(",")]
    if len(set(names)) < len(names):
        raise InvalidSetting("names a model twice", SLOTS_EXAMPLE)
    return value


def slots_of_model(part: str) -> str:
    """The name in `NAME=2`."""
    name, separator, count = part.partition("=")
    try:
        model_name(name)
    except InvalidSetting:
        separator = ""
    if not name or not separator or not re.fullmatch(r"[0-9]+", count):
        raise InvalidSetting(
            "is neither a number nor a list of NAME=NUMBER with commas", SLOTS_EXAMPLE
        )
    count_of(count, least=0)
    return name


def count_of(digits: str, least: int) -> str:
    if not least <= int(digits[:9]) <= MAX_SLOTS:
        raise InvalidSetting(f"has a number that is not between {least} and {MAX_SLOTS}", "6")
    return digits


def time_zone(value: str) -> str:
    """A name of the IANA time zone database that means the same on every machine."""
    pseudo = value.lower().startswith(("right/", "posix/")) or value.lower() in PSEUDO_ZONES
    try:
        known = not pseudo and zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    if not known:
        raise InvalidSetting("is not a time zone that every machine knows", zone_like(value))
    return value


def zone_like(value: str) -> str:
    """The time zone that was probably meant, as a suggestion."""
    meant = value.lower().strip(":").replace(" ", "")
    offset = re.fullmatch(r"(?:utc|gmt)?([+-])0?([0-9]|1[0-4])(?::?00)?", meant)
    names = {name.lower(): name for name in zoneinfo.available_timezones() if "/" in name}
    if offset and offset.groups() != ("+", "8"):
        # the signs in Etc/GMT names are reversed
        sign = "-" if offset[1] == "+" else "+"
        return names.get(f"etc/gmt{sign}{offset[2]}", ZONE_EXAMPLE)
    if meant in ABBREVIATIONS:
        return ABBREVIATIONS[meant]
    close = difflib.get_close_matches(meant, names, n=1, cutoff=0.85) if "/" in meant else []
    return names[close[0]] if close else ZONE_EXAMPLE


def certificates(value: str) -> str:
    """The path of a PEM file with certificates that can be loaded."""
    try:
        refuse_special(value, MAX_CERTIFICATE_BYTES)
        ssl.create_default_context(cafile=value)
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise InvalidSetting(f"is not a file of certificates in PEM form: {reason}") from None
    return value


def client_certificate(value: str) -> str:
    """The path of a PEM file with a certificate and its key, which has no password."""
    try:
        refuse_special(value, MAX_CERTIFICATE_BYTES)
        ssl.create_default_context().load_cert_chain(value, password="")
    except OSError as error:
        unusable = isinstance(error, ssl.SSLError)
        reason = "it does not hold both, or its key has a password" if unusable else error.strerror
        raise InvalidSetting(f"is not a file of a certificate and its key: {reason}") from None
    return value


def demo_faults(value: str) -> str:
    """The path of a file with scripted faults of the demo model."""
    # of use to developers alone
    from demo_xinference import faults

    try:
        faults.load(value)
    except OSError as error:
        raise InvalidSetting(f"is not a file that can be read: {error.strerror}") from None
    except faults.FaultError as error:
        raise InvalidSetting(f"holds no scripted faults: {error}") from None
    return value


def sign_up(value: str) -> str:
    """One of SIGN_UP, in lower case."""
    if value.lower() not in SIGN_UP:
        raise InvalidSetting("is not closed, invite or open", SIGN_UP[0])
    return value.lower()


def log_format(value: str) -> str:
    """`text` or `json`."""
    if value.lower() not in FORMATTERS:
        raise InvalidSetting("is neither text nor json", "json")
    return value.lower()


def review(value: str) -> str:
    """One of REVIEW, in lower case."""
    if value.lower() not in REVIEW:
        raise InvalidSetting("is not after or before", REVIEW[0])
    return value.lower()


def private_key(value: str) -> str:
    """The path of a small readable file."""
    try:
        read_small(value)
    except OSError as error:
        raise InvalidSetting(f"is not a file that can be read: {error.strerror}") from None
    return value


def folder(value: str) -> str:
    if not Path(value).is_dir():
        raise InvalidSetting("is not a folder")
    return value


def internal_path(value: str) -> str:
    """A URL path at the proxy in front, without a final slash."""
    path = value.rstrip("/")
    if not path or not PATH.fullmatch(path) or not has_plain_parts(path):
        raise InvalidSetting("is not a path that begins with a slash", "/_media")
    return path
