"""Pages of an account: an invitation, a passkey, second factors and the list of sessions."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests.browser.account_actions import (
    PASSWORD,
    add_passkey,
    confirm,
    plug_in,
    sign_out,
    sign_up,
    site,
)
from tests.browser.axe import serious_violations, violations_by_theme
from tests.browser.conftest import PHONE, Shoot, SignIn
from tests.browser.layout import beyond_the_window, small_targets
from tests.browser.matrix import FULL, LOCALES
from tests.browser.page_actions import expect_live
from tests.browser.sign_in import submit_sign_in
from tests.studio import Studio

pytestmark = pytest.mark.browser

PAGES = (
    "/accounts/",
    "/accounts/profile/",
    "/accounts/programs/",
    "/accounts/programs/new/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/2fa/recovery-codes/generate/",
    "/accounts/sessions/",
    "/accounts/limits/",
    "/api/v1/docs",
    "/accounts/data/",
    "/accounts/data/export/",
    "/accounts/data/delete/",
    "/accounts/webhooks/",
    "/accounts/webhooks/new/",
)


@pytest.fixture(scope="module")
def inviting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio where accounts are made by invitation."""
    studio = Studio(tmp_path_factory.mktemp("inviting"), SIGNUP="invite", DEMO_SPEED="20").start()
    yield studio
    studio.stop()


def test_an_invitation_leads_to_a_passkey_sign_in(
    inviting: Studio, sign_in: SignIn, shoot: Shoot
) -> None:
    page = sign_up(inviting, sign_in(None, site(inviting)), "mei")
    add_passkey(page)
    shoot(page, "recovery-codes")
    page.locator("#codes_saved").check()

    page.goto("/")
    sign_out(page)
    page.goto("/gallery/")
    page.locator("#passkey_login").click()

    expect(page).to_have_url(f"{site(inviting)}/gallery/")
    page.goto("/")
    expect_live(page)


def test_a_passkey_button_waits_for_its_script(inviting: Studio, sign_in: SignIn) -> None:
    page = sign_up(inviting, sign_in(None, site(inviting)), "early")
    page.goto("/accounts/2fa/webauthn/add/")
    confirm(page)
    held: list[Route] = []
    page.route("**/mfa/js/webauthn.*", lambda route: held.append(route))
    page.route("**/pages/account.*", lambda route: held.append(route))
    page.goto("/accounts/2fa/webauthn/add/", wait_until="commit")
    button = page.locator("#mfa_webauthn_add")
    expect(button).to_be_disabled()
    while not button.is_enabled():
        for route in held:
            route.continue_()
        held.clear()
        page.wait_for_timeout(50)
    plug_in(page)
    button.click()
    expect(page).to_have_url(re.compile("/accounts/2fa/recovery-codes/$"))


def test_a_passkey_that_is_not_used_is_explained(inviting: Studio, sign_in: SignIn) -> None:
    page = sign_in(None, site(inviting)).new_page()
    plug_in(page)
    page.goto("/accounts/sign-in/")
    sentence = page.locator("[data-passkey-error]")
    expect(sentence).to_be_hidden()
    page.locator("#passkey_login").click()

    expect(sentence).to_be_visible()
    submit_sign_in(page, inviting.printed["Name"], inviting.printed["Password"])
    expect_live(page)


def test_no_passkey_is_offered_at_an_ip_address(inviting: Studio, sign_in: SignIn) -> None:
    page = sign_in(None, inviting.url).new_page()
    page.goto("/accounts/sign-in/")

    expect(page.locator("#id_login")).to_be_visible()
    expect(page.locator("#passkey_login")).to_have_count(0)


@pytest.mark.parametrize("locale", LOCALES)
def test_account_pages_are_accessible_and_fit(
    inviting: Studio, sign_in: SignIn, locale: str, shoot: Shoot
) -> None:
    """What axe checks is the same in both languages; what fits is not."""
    context = sign_in(None, site(inviting), locale=locale)
    page = sign_up(inviting, context, f"reader-{locale}")
    page.goto("/accounts/2fa/totp/activate/")
    confirm(page)
    expect(page).to_have_url(re.compile("/totp/activate/$"))
    desktop = page.viewport_size
    assert desktop is not None
    for path in PAGES:
        page.set_viewport_size(desktop)
        page.goto(path)
        if locale == LOCALES[0] or FULL:
            assert violations_by_theme(page) == {}, path
        page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        assert beyond_the_window(page) == [], path
        assert small_targets(page.locator("body")) == [], path
    shoot(page, "last-page")


def test_a_session_is_ended_on_the_page(inviting: Studio, sign_in: SignIn) -> None:
    here = sign_up(inviting, sign_in(None, site(inviting)), "two-browsers")
    there = sign_in(None, site(inviting)).new_page()
    there.goto("/")
    submit_sign_in(there, "two-browsers", PASSWORD)
    expect_live(there)

    here.goto("/accounts/sessions/")
    expect(here.locator(".account__row")).to_have_count(2)
    here.locator(".account__row button").click()

    expect(here.locator(".account__row")).to_have_count(1)
    there.goto("/gallery/")
    expect(there).to_have_url(re.compile("/accounts/sign-in/"))


def test_a_program_is_made_used_and_revoked(
    inviting: Studio, sign_in: SignIn, shoot: Shoot
) -> None:
    page = sign_up(inviting, sign_in(None, site(inviting)), "programmer")
    page.goto("/accounts/")
    page.locator(".account__main").get_by_role("link", name="程序").click()
    page.get_by_role("link", name="新建令牌").click()
    confirm(page)
    page.locator("[name=name]").fill("夜间脚本")
    page.get_by_role("button", name="创建令牌").click()
    field = page.locator("#new-token")
    token = field.input_value()
    page.get_by_role("button", name="复制").click()
    expect(page.get_by_role("button", name="已复制")).to_be_visible()
    shoot(page, "new-token")
    me = f"{inviting.url}/api/v1/me"
    program = httpx.Client(headers={"Authorization": f"Bearer {token}"})
    assert program.get(me).json()["username"] == "programmer"

    page.reload()
    expect(page.locator(".account__row")).to_contain_text("夜间脚本")
    expect(field).to_have_count(0)
    assert token not in page.content()

    page.locator(".account__row summary").click()
    shoot(page, "revoking")
    page.get_by_role("button", name="立即撤销").click()
    expect(page.locator(".account__row")).to_have_count(0)
    assert program.get(me).status_code == 401
    program.close()


NOT_SENT = "没有公网地址"


def show_as_waiting(route: Route) -> None:
    """The page of a webhook before a worker has tried the newest delivery."""
    response = route.fetch()
    page = response.text().replace("data-deliveries", 'data-deliveries="waiting"', 1)
    route.fulfill(response=response, body=page.replace(NOT_SENT, "等待执行进程", 1))


def test_a_webhook_is_made_and_tried(inviting: Studio, sign_in: SignIn, shoot: Shoot) -> None:
    page = sign_up(inviting, sign_in(None, site(inviting)), "receiver")
    page.goto("/accounts/webhooks/new/")
    confirm(page)
    page.locator("[name=url]").fill("http://hooks.invalid/studio")
    page.get_by_role("button", name="创建网络回调").click()
    expect(page.locator(".field-error").first).to_contain_text("https")
    page.locator("[name=url]").fill("https://hooks.invalid/studio")
    page.get_by_text("作画过程中也发送").first.click()
    page.get_by_label("图片已存好").check()
    assert serious_violations(page) == []
    page.get_by_role("button", name="创建网络回调").click()
    expect(page.locator("#new-secret")).to_have_value(re.compile("^whsec_"))
    shoot(page, "new-secret")

    page.get_by_role("button", name="发送测试").click()

    # by its script, once a worker has tried
    delivery = page.locator("[data-deliveries] li")
    expect(delivery).to_contain_text(NOT_SENT)
    expect(delivery.get_by_role("button")).to_be_enabled()
    assert serious_violations(page) == []
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert beyond_the_window(page) == []
    shoot(page, "delivery")

    page.get_by_role("button", name="发送测试").click()
    expect(delivery.filter(has_text=NOT_SENT)).to_have_count(2)
    page.route(page.url, show_as_waiting)
    page.reload()
    expect(delivery.filter(has_text=NOT_SENT)).to_have_count(1)
    older = delivery.last.get_by_role("button")
    older.focus()
    page.unroute(page.url)

    expect(delivery.filter(has_text=NOT_SENT)).to_have_count(2)
    # its row did not change, so it was not replaced
    expect(older).to_be_focused()

    page.get_by_role("link", name="修改", exact=True).click()
    expect(page.get_by_label("图片已存好")).to_be_checked()
    assert beyond_the_window(page) == []
    assert serious_violations(page) == []
    shoot(page, "edit-webhook")
    page.locator("[name=url]").fill("https://hooks.invalid/elsewhere")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".account__files")).to_contain_text("https://hooks.invalid/elsewhere")
