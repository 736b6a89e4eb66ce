"""Signing in with accounts of a real OpenID provider, which is a process of its own."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.contrib.auth.hashers import make_password

from tests.process import openid_provider as idp
from tests.process.provider_process import BEGIN, Provider, settings_for, without
from tests.security.ownership import OIDC
from tests.security.ownership import SIGN_IN as SIGNED_OUT
from tests.studio import Studio, free_port, manage

FIELD = re.compile(r"<input[^>]*>")
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
SIGN_IN = "/accounts/sign-in/"
CONNECTIONS = "/accounts/3rdparty/"
DELETE = "/accounts/data/delete/"
LOCAL = ("local-alice", "alice@example.org", "a password of her own")


def database(studio: Studio) -> closing[sqlite3.Connection]:
    """Rows of the studio, because each run of manage.py takes a second."""
    path = studio.data_dir / "db.sqlite3"
    return closing(sqlite3.connect(path, timeout=20, isolation_level=None))


def add_account(
    studio: Studio, name: str, email: str, password: str, *, is_staff: bool = False
) -> None:
    joined = datetime.now(UTC).isoformat(" ")
    values = (name, email, make_password(password), joined, is_staff, is_staff)
    with database(studio) as rows:
        rows.execute(
            "insert into auth_user (username, email, password, date_joined, is_staff,"
            " is_superuser, is_active, first_name, last_name) values (?, ?, ?, ?, ?, ?, 1, '', '')",
            values,
        )


def addresses_of(studio: Studio, name: str) -> tuple[str, list[tuple[str, int]]]:
    """The address in the account `name`, and those listed with whether they are confirmed."""
    with database(studio) as rows:
        user, email = rows.execute(
            "select id, email from auth_user where username = ?", [name]
        ).fetchone()
        listed = rows.execute(
            "select email, verified from account_emailaddress where user_id = ?", [user]
        ).fetchall()
    return email, listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    provider: Provider
    studio: Studio
    trusting: Studio
    """Not started; with OIDC_TRUST_EMAIL."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    port = free_port()
    # nothing is drawn
    env = {**settings_for(port), "EMBEDDED_WORKER": "0"}
    folder = tmp_path_factory.mktemp("oidc")
    studio = Studio(folder / "data", **env)
    trusting = Studio(folder / "trusting", **env, OIDC_TRUST_EMAIL="1")
    provider = Provider(tmp_path_factory.mktemp("provider"), (studio, trusting), port)
    try:
        studio.start()
        provider.wait()
        yield Site(provider=provider, studio=studio, trusting=trusting)
    finally:
        studio.stop()
        provider.stop()


@pytest.fixture(scope="module")
def studio(site: Site) -> Studio:
    return site.studio


@pytest.fixture(scope="module")
def trusting(site: Site) -> Iterator[Studio]:
    try:
        yield site.trusting.start()
    finally:
        site.trusting.stop()


class Browser(httpx.Client):
    """Follows no redirect; cookies of both servers, which are at one host, have other names."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(base_url=studio.url, timeout=30, headers={"Accept-Language": "en"})

    def fields(self, page: str) -> dict[str, str]:
        """The hidden fields of the last form of `page`."""
        form = page[page.rindex("<form") :]
        inputs = [dict(ATTRIBUTE.findall(each)) for each in FIELD.findall(form)]
        return {
            each["name"]: unescape(each.get("value", ""))
            for each in inputs
            if each.get("type") == "hidden"
        }

    def token(self, path: str = SIGN_IN) -> dict[str, str]:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(path).text)
        assert found is not None
        return {"csrfmiddlewaretoken": found[1]}

    def begin(self, page: str = SIGN_IN, **query: str) -> httpx.Response:
        return self.post(BEGIN, params=query, data=self.token(page))

    def to_provider(self, page: str = SIGN_IN, **query: str) -> str:
        """The address at the provider to which the studio leads."""
        answer = self.begin(page, **query)
        assert answer.status_code == 200, "a redirect after a form is against form-action"
        found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.text)
        assert found is not None
        return unescape(found[1])

    def at_provider(self, name: str, address: str, *, allow: bool = True) -> str:
        """Sign in there if it asks, allow or deny; the address that leads back."""
        answer = self.get(address)
        if answer.is_redirect:
            sign_in = httpx.URL(address).join(answer.headers["Location"])
            person = {"login": name, "password": idp.PASSWORD}
            done = self.post(sign_in, data={**self.fields(self.get(sign_in).text), **person})
            answer = self.get(httpx.URL(address).join(done.headers["Location"]))
        scopes = re.findall(r'name="scopes"[^>]*value="(\w+)"', answer.text)
        action = "grant" if allow else "cancel"
        data = {**self.fields(answer.text), "scopes": scopes, "action": action}
        back: str = self.post(answer.url, data=data).headers["Location"]
        return back

    def sign_in(self, name: str, page: str = SIGN_IN, **query: str) -> httpx.Response:
        return self.get(self.at_provider(name, self.to_provider(page, **query)))

    def name(self) -> str | None:
        found = re.search(r"Signed in as <b>([^<]+)</b>", self.get("/gallery/").text)
        return found and found[1]


@pytest.fixture
def browser(studio: Studio) -> Iterator[Browser]:
    with Browser(studio) as browser:
        yield browser


def test_a_new_user_signs_in_and_comes_back_to_the_page(studio: Studio, browser: Browser) -> None:
    answer = browser.sign_in("bao", next="/gallery/?q=x")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/gallery/?q=x")
    assert browser.name() == "bao"
    with Browser(studio) as again:
        again.sign_in("bao")
        assert again.name() == "bao"
    log = studio.log.read_text()
    assert log.count("account_created account=bao") == 1
    assert len(re.findall("sign_in_ok account=bao .* how=oidc", log)) == 2


def test_the_request_has_pkce_and_cannot_be_changed_by_a_link(browser: Browser) -> None:
    plain = parse_qs(urlsplit(browser.to_provider()).query)
    bent = parse_qs(
        urlsplit(browser.to_provider(auth_params="redirect_uri=x&prompt=none", scope="admin")).query
    )

    assert plain["code_challenge_method"] == ["S256"]
    for name in ("state", "code_challenge"):
        assert plain.pop(name) != bent.pop(name)
    assert plain == bent


def test_an_account_without_a_password_confirms_at_the_provider(browser: Browser) -> None:
    browser.sign_in("dan")
    confirm = browser.get(DELETE).headers["Location"]
    assert confirm.startswith("/accounts/reauthenticate/?next=")
    # the session there is enough to sign in, but not to confirm
    browser.post("/accounts/sign-out/", data=browser.token(confirm))
    browser.sign_in("dan")
    assert browser.get(DELETE).headers["Location"] == confirm

    address = browser.to_provider(confirm, next=DELETE)
    asked = parse_qs(urlsplit(address).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    assert browser.get(address).is_redirect, "the provider does not ask again"
    assert browser.get(browser.at_provider("dan", address)).headers["Location"] == DELETE
    assert browser.get(DELETE).status_code == 200


def test_a_denied_sign_in_shows_an_error(studio: Studio, browser: Browser) -> None:
    answer = browser.get(browser.at_provider("mei", browser.to_provider(), allow=False))

    assert "You did not allow Bamboo to sign you in." in answer.text
    assert browser.name() is None
    assert 'oidc_failed cause="denied by the user"' in studio.log.read_text()


def test_a_state_of_another_browser_is_refused(studio: Studio, browser: Browser) -> None:
    with Browser(studio) as attacker:
        address = attacker.at_provider("mallory", attacker.to_provider())

    for forged in (address, re.sub("state=[^&]+", "state=x", address), f"{BEGIN}callback/"):
        answer = browser.get(forged)
        assert answer.status_code == 400
        assert "was begun in another browser" in answer.text
    assert browser.name() is None
    assert 'oidc_failed cause="unknown state"' in studio.log.read_text()


def test_a_code_that_was_used_is_refused(studio: Studio, browser: Browser) -> None:
    address = browser.at_provider("mei", browser.to_provider())
    used = parse_qs(urlsplit(address).query)["code"][0]
    browser.get(address)
    browser.cookies.clear()
    state = parse_qs(urlsplit(browser.to_provider()).query)["state"][0]

    answer = browser.get(f"{BEGIN}callback/", params={"code": used, "state": state})

    assert answer.status_code == 502
    assert "Bamboo could not sign you in." in answer.text
    assert 'cause="OAuth2Error: invalid_grant"' in studio.log.read_text()


def test_an_existing_account_is_linked_only_when_signed_in(
    studio: Studio, browser: Browser
) -> None:
    add_account(studio, *LOCAL)

    refused = browser.sign_in("alice")
    assert refused.status_code == 403
    assert "An account here already has your e-mail address." in refused.text

    form = {**browser.token(), "login": LOCAL[0], "password": LOCAL[2]}
    assert browser.post(SIGN_IN, data=form).status_code == 302
    asked = browser.sign_in("alice", CONNECTIONS, process="connect")
    confirm = asked.headers["Location"]
    assert confirm.startswith("/accounts/reauthenticate/")
    browser.post(confirm, data={**browser.token(confirm), "password": LOCAL[2]})
    assert "Disconnect" in browser.get(CONNECTIONS).text

    with Browser(studio) as other:
        other.sign_in("alice")
        assert other.name() == LOCAL[0]


def test_an_unconfirmed_address_is_not_taken_over(studio: Studio, browser: Browser) -> None:
    browser.sign_in("mallory")

    assert browser.name() == "mallory"
    with database(studio) as rows:
        found = rows.execute("select email from auth_user where username = 'mallory'").fetchone()
    assert found == ("",)


@pytest.mark.parametrize("name", ["mallory", "silent"])
def test_a_trusted_provider_must_say_that_an_address_is_confirmed(
    trusting: Studio, name: str
) -> None:
    root, email = f"root-{name}", f"{name}@example.org"
    add_account(trusting, root, email, LOCAL[2], is_staff=True)

    with Browser(trusting) as browser:
        browser.sign_in(name)

        assert browser.name() == name
    assert addresses_of(trusting, name) == ("", [])
    assert addresses_of(trusting, root) == (email, [])


def test_an_account_that_a_confirmed_address_links_keeps_its_password(trusting: Studio) -> None:
    add_account(trusting, *LOCAL, is_staff=True)

    with Browser(trusting) as browser:
        browser.sign_in("alice")
        assert browser.name() == LOCAL[0]

    assert addresses_of(trusting, LOCAL[0]) == (LOCAL[1], [(LOCAL[1], 1)])
    with Browser(trusting) as again:
        form = {**again.token(), "login": LOCAL[0], "password": LOCAL[2]}
        assert again.post(SIGN_IN, data=form).status_code == 302
        assert again.name() == LOCAL[0]


def test_every_address_answers_as_the_table_says(browser: Browser) -> None:
    for role, page in (("anonymous", SIGN_IN), ("owner", CONNECTIONS)):
        if role == "owner":
            browser.sign_in("mei")
        for row in OIDC:
            path = row.path or f"/{row.address}"
            answer = browser.begin(page) if row.method == "POST" else browser.get(path)
            target = answer.headers.get("Location", "").partition("?")[0]
            got = SIGNED_OUT if target in (SIGN_IN, "/admin/login/") else answer.status_code
            assert got == row.outcomes.by_role()[role], (role, path)


def test_an_unreachable_provider_shows_an_error(site: Site, browser: Browser) -> None:
    studio, provider = site.studio, site.provider
    with provider.stopped():
        answer = browser.begin()

    assert answer.status_code == 503
    assert "Bamboo does not answer." in answer.text
    log = studio.log.read_text()
    assert "oidc_failed cause=ReadTimeout" in log
    assert "Traceback" not in log
    assert idp.SECRET not in log
    assert not re.search(r"code=\w{8}|eyJ", log), "a code or a token"


def test_an_account_can_be_deleted_without_the_provider(studio: Studio, browser: Browser) -> None:
    browser.sign_in("ann")
    assert browser.name() == "ann"

    done = manage(without("OIDC_", studio.env), "delete_account", "ann", "--yes")

    assert done.endswith("Deleted.")
    assert browser.name() is None
