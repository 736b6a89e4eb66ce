"""DATA_DIR and what lies in it are for the studio's account alone, also after an upgrade."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from django.test import override_settings

from generation import checks
from liujuan_site.data_dir import Folder, closed
from liujuan_site.environment import Environment, WrongSettings
from tests.settings import SettingsOf

UNCHANGEABLE = Path("/proc/self/status")
"""A file that everybody can read and no account, not even root, can close."""


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_and_its_secrets_are_closed(settings_of: SettingsOf, tmp_path: Path) -> None:
    settings = settings_of(DATA_DIR=str(tmp_path / "new/data"))

    assert mode_of(settings["DATA_DIR"]) == 0o700
    assert {path.name: mode_of(path) for path in settings["DATA_DIR"].iterdir()} == {
        "secret_key": 0o600,
        "db.sqlite3": 0o600,
    }
    assert settings["UMASK"] == 0o077


def test_a_start_closes_what_an_older_version_left_open(
    settings_of: SettingsOf, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    names = ("db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm", "secret_key", "password")
    for name in names:
        (data / name).write_text("kept")
        (data / name).chmod(0o644)
    data.chmod(0o755)

    assert settings_of(DATA_DIR=str(data))["SECRET_KEY"] == "kept"

    assert mode_of(data) == 0o700
    assert {mode_of(data / name) for name in names} == {0o600}


def test_the_group_may_read_pictures_only_if_the_proxy_sends_them(
    settings_of: SettingsOf, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o757)

    settings = settings_of(DATA_DIR=str(data), ACCEL_REDIRECT="/_media")

    assert mode_of(data) == 0o750
    assert mode_of(data / "db.sqlite3") == mode_of(data / "secret_key") == 0o600
    assert settings["UMASK"] == 0o027


def test_a_process_that_serves_writes_nothing_that_others_can_read() -> None:
    from liujuan_site import asgi  # noqa: F401  the import is what a server does

    mask = os.umask(0o077)
    os.umask(mask)

    assert mask == 0o077


def test_secrets_that_stay_open_are_refused(tmp_path: Path) -> None:
    env = Environment({})

    Folder(tmp_path, env).close(UNCHANGEABLE)

    with pytest.raises(WrongSettings, match=f"Type: chmod 600 {UNCHANGEABLE}"):
        env.refuse_mistakes()
    assert not closed(UNCHANGEABLE, 0o600)


def test_a_folder_that_stays_open_is_named_by_a_check() -> None:
    with override_settings(DATA_DIR_IS_CLOSED=False):
        assert [message.id for message in checks.check_data_dir()] == ["generation.W004"]
    with override_settings(DATA_DIR_IS_CLOSED=True):
        assert not checks.check_data_dir()


@pytest.mark.parametrize("name", ["a-file", "a-file/below"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "a-file").touch()
    env = Environment({})

    folder = Folder(tmp_path / name, env)
    folder.open(0o700)

    assert folder.secret("secret_key", "x") == ""
    with pytest.raises(WrongSettings, match=r"DATA_DIR=.* cannot be used"):
        env.refuse_mistakes()
