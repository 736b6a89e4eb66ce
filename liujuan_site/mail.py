"""Reads EMAIL_URL: the server that sends mail, and the sender's address.

Not by `environ.Env.email_url_config`, which takes smtps for STARTTLS and has no default ports.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from generation.http_addresses import ENCODE, host_in_url, split
from generation.invalid_setting import InvalidSetting

EXAMPLE = "smtps://user:password@mail.example:465/?from=studio@mail.example"
PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
BACKENDS = "django.core.mail.backends"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Values of Django's settings EMAIL_BACKEND, EMAIL_HOST and so on."""

    backend: str = f"{BACKENDS}.dummy.EmailBackend"
    sender: str = "webmaster@localhost"
    folder: str = ""
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    use_starttls: bool = False
    use_tls: bool = False


def email_url(value: str) -> str:
    """The URL of a mail server, normalised; raises InvalidSetting."""
    parts = split(value, {*PORTS, "file"}, EXAMPLE)
    if parts.fragment:
        raise InvalidSetting(f"holds a #{ENCODE}", EXAMPLE)
    sender_of(parts)
    if parts.scheme == "file":
        if parts.hostname or not parts.path.strip("/"):
            raise InvalidSetting("names no folder", "file:///tmp/mail?from=studio@mail.example")
        return value
    if not parts.hostname:
        raise InvalidSetting("has no host", EXAMPLE)
    if parts.path.strip("/"):
        raise InvalidSetting("has a path behind the host", EXAMPLE)
    return host_in_url(parts, EXAMPLE).geturl()


def server_of(url: str) -> MailServer:
    """`url` was accepted by `email_url`, or is empty: then nothing is sent."""
    if not url:
        return MailServer()
    parts = split(url, {*PORTS, "file"}, EXAMPLE)
    if parts.scheme == "file":
        backend = f"{BACKENDS}.filebased.EmailBackend"
        return MailServer(backend=backend, sender=sender_of(parts), folder=unquote(parts.path))
    return MailServer(
        backend=f"{BACKENDS}.smtp.EmailBackend",
        sender=sender_of(parts),
        host=parts.hostname or "",
        port=parts.port or PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_starttls=parts.scheme == "smtp+tls",
        use_tls=parts.scheme == "smtps",
    )


def address(value: str) -> str:
    """One e-mail address; raises InvalidSetting."""
    try:
        validate_email(value)
    except ValidationError:
        problem = f"holds {value!r}, which is not an e-mail address"
        raise InvalidSetting(problem, "ops@mail.example") from None
    return value


def sender_of(parts: SplitResult) -> str:
    """The address behind `?from=`."""
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if given.keys() != {"from"}:
        raise InvalidSetting("needs ?from= and the sender's address, and nothing else", EXAMPLE)
    try:
        validate_email(given["from"])
    except ValidationError:
        raise InvalidSetting("has no e-mail address behind ?from=", EXAMPLE) from None
    return given["from"]
