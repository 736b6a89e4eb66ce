"""A new account and its pages: an invitation, a passkey, a confirmation."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.page_actions import expect_live
from tests.studio import Studio

INVITE = """
from datetime import timedelta
from django.utils import timezone
from accounts import invitations
from accounts.models import Invitation

now = timezone.now()
for _each in range(20):
    invitation = Invitation(created=now, expires_at=now + timedelta(days=1))
    print(invitations.new_token(invitation))
    invitation.save()
"""
PASSWORD = "a long and good password"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def site(studio: Studio) -> str:
    """Browsers allow passkeys at this name, not at 127.0.0.1."""
    return f"http://localhost:{urlsplit(studio.url).port}"


def plug_in(page: Page) -> None:
    """A virtual authenticator, such as the one of a phone."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


@cache
def unused_invitations(studio: Studio) -> list[str]:
    """Tokens; one command makes many, because it starts a process."""
    return studio.shell(INVITE).splitlines()[-20:]


def sign_up(studio: Studio, context: BrowserContext, name: str) -> Page:
    """A page of a new account, made by an invitation."""
    page = context.new_page()
    page.goto(f"/accounts/invite/{unused_invitations(studio).pop()}/")
    expect(page).to_have_url(re.compile("/accounts/signup/$"))
    page.locator("[name=username]").fill(name)
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator(".account__form button[type=submit]").click()
    expect_live(page)
    return page


def confirm(page: Page) -> None:
    """Enter the password that a sensitive page asks for."""
    expect(page).to_have_url(re.compile("/accounts/reauthenticate/"))
    page.locator("[name=password]").fill(PASSWORD)
    page.locator(".account__form button[type=submit]").click()


def add_passkey(page: Page) -> None:
    """From the studio to the recovery codes that are shown with the first passkey."""
    plug_in(page)
    page.locator(".avatar").click()
    page.get_by_role("link", name="账号").click()
    page.locator(".account__main").get_by_role("link", name="第二重验证").click()
    page.get_by_role("link", name="添加通行密钥").click()
    confirm(page)
    page.locator("#mfa_webauthn_add").click()
    expect(page).to_have_url(re.compile("/accounts/2fa/recovery-codes/$"))


def sign_out(page: Page) -> None:
    page.locator(".avatar").click()
    page.get_by_role("button", name="退出").click()
    expect(page).to_have_url(re.compile("/accounts/sign-in/"))
