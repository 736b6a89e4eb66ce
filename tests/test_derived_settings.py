"""Settings that follow from others: hosts, HTTPS, cookies, paths and printed addresses."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from liujuan_site import addresses, sub_path
from liujuan_site.environment import InvalidSettings
from tests.process.certificates import Authority
from tests.settings import SettingsOf

OLD, NEW = "an-old-key-for-tests-0123", "the-new-key-for-tests-0123"
NODE = os.uname().nodename.lower()


@pytest.mark.parametrize(
    ("env", "https"),
    [
        ({"PUBLIC_URL": "https://h"}, True),
        ({"PUBLIC_URL": "http://h"}, False),
        ({"PUBLIC_URL": "https://h", "HTTPS": "1"}, True),
        ({"HTTPS": "1"}, True),
        ({"PUBLIC_URL": "http://h", "HTTPS": "1"}, None),
        ({"PUBLIC_URL": "https://h", "HTTPS": "0"}, None),
    ],
)
def test_https_follows_from_the_public_url(
    settings_of: SettingsOf, env: dict[str, str], https: bool | None
) -> None:
    if https is None:
        with pytest.raises(InvalidSettings, match="contradict each other"):
            settings_of(**env)
        return
    settings = settings_of(**env)

    assert settings["HTTPS"] is settings["SESSION_COOKIE_SECURE"] is https


def test_hosts_of_both_settings_are_allowed(settings_of: SettingsOf) -> None:
    given = settings_of(ALLOWED_HOSTS="A, fd00::5,,", HOST="::")["ALLOWED_HOSTS"]
    derived = settings_of(HOST="::", PUBLIC_URL="http://h:81")["ALLOWED_HOSTS"]

    assert set(given) == {"a", "[fd00::5]", "localhost", "127.0.0.1", "[::1]"}
    assert set(derived) >= {"localhost", "127.0.0.1", "[::1]", "h", NODE}


def test_a_sqlite_url_is_opened_like_the_default(settings_of: SettingsOf, tmp_path: Path) -> None:
    default = settings_of()["DATABASES"]["default"]
    named = settings_of(DATABASE_URL=f"sqlite:///{tmp_path}/other.sqlite3")["DATABASES"]["default"]

    assert named["OPTIONS"] == default["OPTIONS"]
    assert named["NAME"] == tmp_path / "other.sqlite3"
    assert named["NAME"].stat().st_mode & 0o777 == 0o600


def test_cookies_differ_between_installations(settings_of: SettingsOf, tmp_path: Path) -> None:
    names = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "LANGUAGE_COOKIE_NAME")

    def cookies(**env: str) -> set[str]:
        settings = settings_of(**env)
        return {settings[name] for name in names}

    one = cookies(PORT="8000")

    # the webs of one installation have several ports
    assert cookies(PORT="8001") == one
    assert len(one) == 3
    assert not one & cookies(DATA_DIR=str(tmp_path / "other"))
    # the address outlives a change of the key
    keys = [cookies(PUBLIC_URL="https://h:1", SECRET_KEY=key) for key in (OLD, NEW)]
    assert keys[0] == keys[1]
    assert not keys[0] & cookies(PUBLIC_URL="https://h:2", SECRET_KEY=OLD)


def test_processes_share_a_layer_during_a_key_change(settings_of: SettingsOf) -> None:
    old = settings_of(SECRET_KEY=OLD)["REDIS_PREFIX"]

    assert settings_of(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=OLD)["REDIS_PREFIX"] == old
    assert settings_of(SECRET_KEY=NEW)["REDIS_PREFIX"] != old


def test_a_sub_path_applies_to_every_address(settings_of: SettingsOf) -> None:
    settings = settings_of(PUBLIC_URL="HTTPS://Example.org/studio/")

    assert settings["STATIC_URL"] == "/studio/static/"
    assert {settings[f"{name}_COOKIE_PATH"] for name in ("SESSION", "CSRF", "LANGUAGE")} == {
        "/studio/"
    }
    # probes are not redirected to HTTPS
    (exempt,) = settings["SECURE_REDIRECT_EXEMPT"]
    assert re.match(exempt, "studio/healthz")
    assert re.match(exempt, "studio/metrics")
    assert not re.match(exempt, "studio/gallery/")
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://example.org"]


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/", "/"),
        ("/studio", "/"),
        ("/studio/", "/"),
        ("/studio/gallery/", "/gallery/"),
        ("/gallery/", "/gallery/"),
        ("/studios", "/studios"),
        ("/ws/generate", "/ws/generate"),
        ("/studio/ws/generate", "/ws/generate"),
    ],
)
async def test_a_proxy_may_take_the_path_away_or_leave_it(asked: str, path: str) -> None:
    seen: list[str] = []

    async def application(scope: dict[str, Any], receive: None, send: None) -> None:
        seen.append(scope["path"])

    for wrap in (sub_path.mounted_at, sub_path.relative_to):
        await wrap("/studio", application)({"path": asked}, None, None)

    assert seen == [f"/studio{path}", path]


@pytest.mark.parametrize(
    ("env", "urls"),
    [
        # browsers allow passkeys at this name
        ({}, ["http://localhost:8000"]),
        ({"HOST": "::1"}, ["http://localhost:8000"]),
        ({"HOST": "127.0.0.5"}, ["http://127.0.0.5:8000"]),
        ({"HOST": "fd00::5", "PORT": "81"}, ["http://[fd00::5]:81"]),
        ({"HOST": "0.0.0.0"}, ["http://localhost:8000", f"http://{NODE}:8000"]),
        ({"HOST": "::"}, ["http://localhost:8000", f"http://{NODE}:8000"]),
        ({"HOST": "::", "PUBLIC_URL": "https://H:443/a/"}, ["https://h/a"]),
    ],
)
def test_every_address_that_is_printed_is_answered(
    settings_of: SettingsOf, env: dict[str, str], urls: list[str]
) -> None:
    settings = settings_of(**env)

    assert settings["SITE_URLS"][: len(urls)] == urls
    answered = set(settings["ALLOWED_HOSTS"])
    assert {addresses.host_of(url) for url in settings["SITE_URLS"]} <= answered


def test_an_authority_is_not_combined_with_no_verification(
    settings_of: SettingsOf, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    with pytest.raises(InvalidSettings, match="remove one of them"):
        settings_of(XINFERENCE_CA=str(authority.file), XINFERENCE_VERIFY="off")

    assert settings_of(XINFERENCE_VERIFY="off")["XINFERENCE_VERIFY"] is False


def test_model_server_password_is_hidden(settings_of: SettingsOf) -> None:
    settings = settings_of(XINFERENCE_URL="http://user:p%40ss@gpu:9997")

    assert settings["MODEL_SERVER"] == "http://***@gpu:9997"
