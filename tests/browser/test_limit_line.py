"""Limits: announced before sending, explained when reached; `test_newcomer` sees one renewed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.accounts import Account
from tests.browser.conftest import Shoot
from tests.browser.layout import beyond_the_window, resize
from tests.browser.page_actions import open_studio, send
from tests.studio import Studio

pytestmark = pytest.mark.browser

LIMIT = """
from django.contrib.auth.models import User
from generation.models import LimitOverride
user = User.objects.get(username="{name}")
LimitOverride.objects.update_or_create(user=user, kind="{kind}", defaults={{"value": {value}}})
"""


def limit(studio: Studio, person: Account, kind: str, value: int) -> None:
    made = LIMIT.format(name=person.name, kind=kind, value=value)
    studio.shell(made)


def test_a_limit_of_the_day_is_announced_in_every_tab(
    studio: Studio, person: Account, context: BrowserContext, page: Page, shoot: Shoot
) -> None:
    line, other = page.locator("[data-part=limits]"), open_studio(context)
    expect(line).to_be_hidden()

    # within 5 s, without a reload
    limit(studio, person, "pictures", 3)
    expect(line).to_have_text("今日还可生成 3 张")
    shoot(page, "limits-left")
    send(page, "one of three")

    for each in (page, other):
        expect(each.locator("[data-part=limits]")).to_have_text("今日还可生成 2 张")
    other.locator("[name=n][value='4']").check(force=True)
    expect(other.locator("[data-part=limits]")).to_have_text(
        re.compile(r"今天的 3 张只剩 2 张，\d\d:\d\d 恢复")
    )
    # the button stays usable, and the server explains
    other.locator("[name=prompt]").fill("four of two")
    other.locator("#send").click()
    error = other.locator("[data-error='']")
    expect(error).to_have_text(re.compile(r"今天的 3 张只剩 2 张，\d\d:\d\d 恢复"))
    expect(other.locator("[name=prompt]")).to_have_value("four of two")
    shoot(other, "limits-reached")
    shoot(page, "limits-later")
    resize(other, "390x844")
    assert beyond_the_window(other) == []

    # an action of a card is refused in the same words
    limit(studio, person, "pictures", 1)
    page.locator(".card [data-action=again]").click()
    toast = page.locator("#alerts")
    expect(toast).to_contain_text(re.compile(r"今天的 1 张已用完，\d\d:\d\d 恢复"))
