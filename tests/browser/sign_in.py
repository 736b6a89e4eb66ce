"""The sign-in form."""

from __future__ import annotations

from playwright.sync_api import Page


def submit_sign_in(page: Page, name: str, password: str) -> None:
    page.locator("#id_login").fill(name)
    page.locator("#id_password").fill(password)
    page.locator("button[type=submit].button--solid").click()
