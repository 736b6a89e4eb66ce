"""EMAIL_URL and SIGNUP: what is accepted, and what Django's settings become."""

from __future__ import annotations

import pytest

from generation.invalid_setting import InvalidSetting
from liujuan_site import mail, validators
from liujuan_site.environment import InvalidSettings
from liujuan_site.mail import MailServer
from tests.settings import SettingsOf

SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        (
            "smtps://me:p%40ss@mail.example/?from=a@b.example",
            MailServer(
                backend=SMTP,
                sender="a@b.example",
                host="mail.example",
                port=465,
                user="me",
                password="p@ss",
                use_tls=True,
            ),
        ),
        (
            "smtp+tls://mail.example:2525?from=a@b.example",
            MailServer(
                backend=SMTP,
                sender="a@b.example",
                host="mail.example",
                port=2525,
                use_starttls=True,
            ),
        ),
        (
            "smtp://[::1]?from=a@b.example",
            MailServer(backend=SMTP, sender="a@b.example", host="::1", port=25),
        ),
        (
            "file:///tmp/mail?from=a@b.example",
            MailServer(
                backend="django.core.mail.backends.filebased.EmailBackend",
                sender="a@b.example",
                folder="/tmp/mail",
            ),
        ),
    ],
)
def test_a_mail_server_is_read(url: str, server: MailServer) -> None:
    assert mail.server_of(mail.email_url(url)) == server


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mail.example", "has no scheme"),
        ("http://mail.example?from=a@b.example", "must begin with"),
        ("smtp://mail.example", "needs \\?from="),
        ("smtp://mail.example?from=nobody", "no e-mail address"),
        ("smtp://mail.example?from=a@b.example&tls=1", "nothing else"),
        ("smtp://mail.example/inbox?from=a@b.example", "has a path"),
        ("smtp://?from=a@b.example", "host"),
        ("file://?from=a@b.example", "folder|host"),
    ],
)
def test_a_mistake_is_named(url: str, problem: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        mail.email_url(url)
    assert refused.match(problem)


def test_links_in_mails_need_the_public_url(settings_of: SettingsOf) -> None:
    url = "smtp://mail.example?from=a@b.example"
    with pytest.raises(InvalidSettings, match="Set PUBLIC_URL"):
        settings_of(EMAIL_URL=url)

    given = settings_of(EMAIL_URL=url, PUBLIC_URL="https://studio.example")
    assert given["EMAIL_HOST"] == "mail.example"
    assert given["ACCOUNT_EMAIL_VERIFICATION"] == "mandatory"
    assert "email*" in given["ACCOUNT_SIGNUP_FIELDS"]
    assert settings_of()["ACCOUNT_EMAIL_VERIFICATION"] == "none"


@pytest.mark.parametrize("typed", ["closed", "Invite", "OPEN"])
def test_sign_up_is_one_of_three(typed: str) -> None:
    assert validators.sign_up(typed) == typed.lower()
    with pytest.raises(InvalidSetting, match="closed, invite or open"):
        validators.sign_up(f"{typed}s")


def test_mails_to_operators_need_a_mail_server(settings_of: SettingsOf) -> None:
    with pytest.raises(InvalidSettings, match="ADMINS is set, and EMAIL_URL is not"):
        settings_of(ADMINS="ops@mail.example")

    found = settings_of(
        ADMINS="ops@mail.example, night@mail.example",
        EMAIL_URL="smtp://mail.example/?from=studio@mail.example",
        PUBLIC_URL="https://studio.example",
    )
    assert [address for _name, address in found["ADMINS"]] == [
        "ops@mail.example",
        "night@mail.example",
    ]
