"""Each mail that can be sent: our own text, in both languages, with links to PUBLIC_URL only."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import allauth
import pytest
from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.core.context import request_context
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.template import Engine
from django.test import RequestFactory
from django.utils import timezone, translation

from tests.studio import ROOT

OURS = ROOT / "templates"
STOCK = Path(allauth.__file__).parent / "templates"
MESSAGE = "_message.txt"
NEVER_SENT = {
    # frame of all others
    "account/email/base",
    # needs PASSWORD_RESET_BY_CODE_ENABLED
    "account/email/password_reset_code",
}
SITE = "https://studio.example/"
NAME = "林<&>"
LINK = f"{SITE}accounts/link/"
PROVIDER = {"provider": SimpleNamespace(name="竹&林")}
VALUES: dict[str, dict[str, Any]] = {
    "account/email/deletion_requested": {"due_at": timezone.now()},
    "account/email/email_changed": {"from_email": "a@mail.example", "to_email": "b@mail.example"},
    "account/email/email_confirmation": {"activate_url": LINK},
    "account/email/email_confirmation_signup": {"activate_url": LINK},
    "account/email/email_deleted": {"deleted_email": "a@mail.example"},
    "account/email/login_code": {"code": "123-456"},
    "account/email/password_reset_key": {"password_reset_url": LINK},
    "account/email/programs_kept": {"names": ["林<&>", "竹"]},
    "account/email/programs_revoked": {"names": ["林<&>", "竹"]},
    "account/email/webhook_off": {"url": "https://hook.example/a?b&c", "webhook": UUID(int=1)},
    "socialaccount/email/account_connected": PROVIDER,
    "socialaccount/email/account_disconnected": PROVIDER,
}
"""By mail: what only its own text is filled with."""

TO_STRANGERS = {
    "account/email/account_already_exists",
    "account/email/email_confirmation",
    "account/email/email_confirmation_signup",
    "account/email/unknown_account",
}
"""Go to addresses that need not belong to the user of the request."""

NOT_PROSE = re.compile(r"https?://\S+|\S+@\S+|LiuJuan Studio|Firefox · Linux|UTC|\bIP\b|林|竹")
CHINESE = re.compile("[\u3400-\u9fff]")


def names_in(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix().removesuffix(MESSAGE)
        for path in folder.glob(f"*/email/*{MESSAGE}")
    }


MAILS = sorted((names_in(STOCK) | names_in(OURS)) - NEVER_SENT)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("name", MAILS)
def test_a_mail_is_plain_and_in_the_language_of_its_reader(
    name: str, language: str, settings: Any, mailoutbox: list[EmailMessage]
) -> None:
    for part in ("_subject.txt", MESSAGE):
        found = Engine.get_default().get_template(name + part)
        assert Path(found.origin.name) == OURS / f"{name}{part}"
    assert len((OURS / f"{name}_subject.txt").read_text().splitlines()) == 1

    settings.TEMPLATES = [naming_holes(settings.TEMPLATES[0])]
    settings.SITE_URLS, settings.TIME_ZONE = [SITE], "UTC"
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True
    with translation.override(language):
        send(name)

    (mail,) = mailoutbox
    subject, body = mail.subject, str(mail.body)
    assert subject.startswith("[LiuJuan Studio] ")
    assert body.endswith(f"\n\nLiuJuan Studio · {SITE}")
    assert "\n\n\n" not in body
    greetings = (f"Hello {NAME},\n\n", f"{NAME}，你好：\n\n")
    assert body.startswith(greetings) == (name not in TO_STRANGERS)
    assert is_notice(name) == ("203.0.113.7" in body) == ("Firefox · Linux" in body)
    for value in VALUES.get(name, {}).values():
        assert not isinstance(value, str) or value in body
    for wrong in ("HOLE", "testserver", "&amp;", "&lt;"):
        assert wrong not in f"{subject}\n{body}"
    prose = NOT_PROSE.sub("", f"{subject}\n{body}")
    assert re.findall("[您!！]|studio.example", prose) == []
    assert re.findall("[A-Za-z]+" if language == "zh-hans" else CHINESE, prose) == []


def naming_holes(templates: dict[str, Any]) -> dict[str, Any]:
    """The setting with which a value that is missing shows."""
    return templates | {"OPTIONS": templates["OPTIONS"] | {"string_if_invalid": "HOLE"}}


def is_notice(name: str) -> bool:
    """Whether it says that something has changed, with when and from where."""
    return "email/base_notification.txt" in (OURS / f"{name}{MESSAGE}").read_text()


def send(name: str) -> None:
    """As allauth does: notices by their own method, all others with their context."""
    request = RequestFactory().get(
        "/", REMOTE_ADDR="203.0.113.7", headers={"User-Agent": "Firefox/130 (X11; Linux)"}
    )
    user = User(username=NAME, email="lin@mail.example")
    request.user = user
    values = VALUES.get(name, {})
    with request_context(request):
        adapter = get_adapter()
        if is_notice(name):
            adapter.send_notification_mail(name, user, values, "lin@mail.example")
        else:
            adapter.send_mail(name, "lin@mail.example", values)


def test_what_is_not_sent_is_turned_off() -> None:
    assert not app_settings.PASSWORD_RESET_BY_CODE_ENABLED
