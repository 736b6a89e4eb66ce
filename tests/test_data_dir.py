"""Only the studio's account can access DATA_DIR and its contents, also after an upgrade."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from django.test import override_settings

from generation import checks
from liujuan_site.data_dir import DataDir
from liujuan_site.environment import Environment, InvalidSettings
from liujuan_site.private_files import SQLITE_HEADER
from tests.settings import SettingsOf

KEY = "a key that is long enough for a test"
UNCHANGEABLE = Path("/proc/self/status")
"""A file readable by all whose mode no account, not even root, can change."""


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


def test_a_start_closes_open_permissions(settings_of: SettingsOf, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "secret_key").write_text(f"{KEY}\n")
    (data / "db.sqlite3").write_bytes(SQLITE_HEADER)
    for name in ("db.sqlite3-wal", "db.sqlite3-shm", "password"):
        (data / name).touch()
    for path in data.iterdir():
        path.chmod(0o644)
    data.chmod(0o755)

    assert settings_of(DATA_DIR=str(data))["SECRET_KEY"] == KEY

    assert mode_of(data) == 0o700
    assert {mode_of(path) for path in data.iterdir()} == {0o600}


def test_group_reads_pictures_only_for_a_proxy(settings_of: SettingsOf, tmp_path: Path) -> None:
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
    folder = DataDir(tmp_path, 0o700, env)

    folder.examine_with(UNCHANGEABLE, folder.close)

    with pytest.raises(InvalidSettings, match=f"Type: chmod 600 {UNCHANGEABLE}"):
        env.refuse_mistakes()


def test_a_folder_that_stays_open_is_named_by_a_check() -> None:
    with override_settings(DATA_DIR_IS_CLOSED=False):
        assert [message.id for message in checks.check_data_dir()] == ["generation.W004"]
    with override_settings(DATA_DIR_IS_CLOSED=True):
        assert not checks.check_data_dir()


@pytest.mark.parametrize("name", ["a-file", "a-file/below", "n" * 300])
def test_an_impossible_folder_is_named(settings_of: SettingsOf, tmp_path: Path, name: str) -> None:
    (tmp_path / "a-file").touch()

    with pytest.raises(InvalidSettings, match=r"DATA_DIR=.* Type DATA_DIR=/a/folder"):
        settings_of(DATA_DIR=str(tmp_path / name))


def test_writable_parents_are_refused(settings_of: SettingsOf, tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        data = settings_of(DATA_DIR=str(tmp_path / "one/two/data"))["DATA_DIR"]
    finally:
        os.umask(mask)

    assert [mode_of(path) for path in (data, *data.parents[:2])] == [0o700, 0o755, 0o755]


def lay_out(root: Path) -> dict[str, str]:
    """A tree with files and folders of others in `root`: what each variable may name of it."""
    shared = root / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    home = root / "home"
    home.mkdir()
    (home / "letter.txt").write_text("not ours")
    home.chmod(0o755)
    (root / "text").write_text("not a database")
    (root / "text").chmod(0o644)
    (root / "folder").mkdir()
    os.mkfifo(root / "fifo")
    (root / "link").symlink_to(root / "text")
    (root / "loop").symlink_to(root / "loop")
    linked = root / "linked"
    linked.mkdir(mode=0o700)
    (root / "other_key").write_text(KEY)
    (root / "other_key").chmod(0o644)
    (linked / "secret_key").symlink_to(root / "other_key")
    doubled = root / "doubled"
    doubled.mkdir(mode=0o700)
    os.link(root / "other_key", doubled / "password")
    return {path.name: str(path) for path in root.iterdir()}


def state_of(root: Path) -> dict[str, tuple[int, int]]:
    found = {str(path): path.lstat() for path in (root, *root.rglob("*"))}
    return {name: (each.st_mode, each.st_size) for name, each in found.items()}


@pytest.mark.parametrize(
    ("variable", "prefix", "name"),
    [
        *(("DATA_DIR", "", name) for name in ("shared", "home", "text", "fifo", "loop")),
        *(("DATA_DIR", "", name) for name in ("linked", "doubled", "folder/new/deep")),
        *(("DATABASE_URL", "sqlite:///", name) for name in ("text", "folder", "fifo", "link")),
        *(("DATABASE_URL", "sqlite:///", name) for name in ("loop", "folder/new.sqlite3")),
    ],
)
@pytest.mark.parametrize("port", ["8000", "x"])
def test_a_refused_start_changes_nothing(
    settings_of: SettingsOf, tmp_path: Path, variable: str, prefix: str, name: str, port: str
) -> None:
    lay_out(tmp_path)
    before = state_of(tmp_path)
    own = tmp_path.with_name(f"{tmp_path.name}-data")
    named = {"DATA_DIR": str(own), variable: f"{prefix}{tmp_path}/{name}"}
    if port != "x" and "new" in name:
        return  # nothing is wrong with these

    with pytest.raises(InvalidSettings):
        settings_of(PORT=port, **named)

    assert state_of(tmp_path) == before
    assert not own.exists()


def test_shared_folders_are_refused(settings_of: SettingsOf, tmp_path: Path) -> None:
    paths = lay_out(tmp_path)

    for name in ("home", "shared"):
        with pytest.raises(InvalidSettings, match=rf"chmod 700 {paths[name]}"):
            settings_of(DATA_DIR=paths[name])


def test_bits_beside_the_permissions_stay(settings_of: SettingsOf, tmp_path: Path) -> None:
    # the root of a new volume
    (tmp_path / "data/lost+found").mkdir(parents=True)
    (tmp_path / "data").chmod(0o2775)

    settings_of(DATA_DIR=str(tmp_path / "data"))

    assert mode_of(tmp_path / "data") == 0o2700


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"x", b"changeme", b"a" * 50, b"\0" * 67, b"\xff" * 67, b"k" * 70_000]
)
def test_a_weak_key_is_refused(settings_of: SettingsOf, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret_key").write_bytes(content)

    with pytest.raises(InvalidSettings, match=r"secret_key (holds no usable key|cannot be used)"):
        settings_of()


@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FALLBACKS"])
@pytest.mark.parametrize("value", ["x", "changeme", "0" * 50, "abababababababababababababab"])
def test_a_short_key_is_refused(settings_of: SettingsOf, name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=f"{name} can be guessed") as refused:
        settings_of(**{name: value})

    assert value not in str(refused.value).replace(name, "")
