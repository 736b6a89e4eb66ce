"""What leaves the studio: mail, and messages to webhooks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import get_connection, send_mail

from generation import selectors
from generation.clock import clock
from generation.management.doctor.answers import Answer, Section, no, skipped, yes
from generation.outages import cause_of
from generation.webhooks import configured_targets

MAIL = "Does the mail server accept a connection, and the password?"
SENT = "Does it accept a mail?"
LATE = timedelta(minutes=10)
"""After this, a message that is due should have been sent."""

MOST_LATE = 1_000

MAIL_HINT = "compare EMAIL_URL with what the mail server's operator says; try openssl s_client"


def ask_mail_server(address: str | None) -> Iterator[Answer]:
    """`address`: of a mail to send; None sends nothing."""
    if not settings.EMAIL_URL:
        yield skipped(MAIL, "EMAIL_URL is not set")
        yield skipped(SENT, "EMAIL_URL is not set")
        return
    connected = is_mail_server_connected()
    yield connected
    if connected.state == "no":
        yield skipped(SENT, "the mail server cannot be used")
    elif address is None:
        yield skipped(SENT, "add --mail ADDRESS")
    else:
        yield is_mail_accepted(address)


def is_mail_server_connected() -> Answer:
    backend: Any = get_connection()
    if settings.EMAIL_FILE_PATH:
        return is_mail_folder_there(Path(settings.EMAIL_FILE_PATH))
    try:
        backend.open()
        backend.connection.noop()
        backend.close()
    except OSError as error:
        return no(MAIL, cause_of(error), hint=MAIL_HINT, see=Section.ACCOUNTS)
    return yes(MAIL, f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}")


def is_mail_folder_there(folder: Path) -> Answer:
    if folder.is_dir():
        return yes(MAIL, f"mails are files in {folder}")
    return no(MAIL, f"{folder} is no folder", hint=f"mkdir {folder}", see=Section.ACCOUNTS)


def is_mail_accepted(address: str) -> Answer:
    try:
        send_mail(
            "LiuJuan Studio: test",
            "manage.py doctor sent this mail.",
            settings.DEFAULT_FROM_EMAIL,
            [address],
        )
    except OSError as error:
        return no(SENT, cause_of(error), hint=MAIL_HINT, see=Section.ACCOUNTS)
    return yes(SENT, f"look for it at {address}")


def do_allowed_hosts_resolve() -> Answer:
    question = "Do the names in WEBHOOK_ALLOW have addresses?"
    hosts = sorted(configured_targets().hosts)
    if not hosts:
        return skipped(question, "WEBHOOK_ALLOW names no host")
    unknown = [host for host in hosts if not has_address(host)]
    if unknown:
        found = f"{', '.join(unknown)}: none"
        hint = f"getent hosts {unknown[0]}; correct WEBHOOK_ALLOW or the name server"
        return no(question, found, hint=hint, see=Section.ACCOUNTS)
    return yes(question, ", ".join(hosts))


def has_address(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM))
    except OSError:
        return False


def are_messages_sent() -> Answer:
    question = "Are messages to webhooks sent in time?"
    late = selectors.due_cursors(now=clock.now() - LATE, busy=(), most=MOST_LATE)
    if late:
        count = f"{len(late)} or more" if len(late) == MOST_LATE else f"{len(late)}"
        found = f"{count} are due for more than {LATE.total_seconds() / 60:.0f} minutes"
        hint = "start a worker; see its log for webhooks"
        return no(question, found, hint=hint, see=Section.ACCOUNTS)
    return yes(question)


WEBHOOK_QUESTIONS = (do_allowed_hosts_resolve, are_messages_sent)
