"""Secrets that a variable names the file of, and files that are refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from liujuan_site import validators
from liujuan_site.environment import Environment, InvalidSettings
from tests.settings import SettingsOf


def test_a_file_of_anything_but_a_secret_is_refused(settings_of: SettingsOf) -> None:
    names = ("ALLOWED_HOSTS", "PORT", "XINFERENCE_MODEL", "DEBUG", "DEMO_SPEED", "XINFERENCE_CA")

    with pytest.raises(InvalidSettings) as refused:
        settings_of(**{f"{name}_FILE": "/run/value" for name in names})

    assert {line.split("_FILE ")[0] for line in str(refused.value).splitlines()[1:]} == set(names)


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("\ufeff$ecret\n", encoding="utf-8")
    env = Environment({"KEY_FILE": str(file), "KEY": " "})

    assert env.secret("KEY", default="") == "$ecret"
    env.refuse_mistakes()


@pytest.mark.parametrize(
    ("content", "given", "message"),
    [
        (None, "", "KEY_FILE=.* cannot be read"),
        ("", "", "is an empty file"),
        ("two\nlines", "", "KEY holds a control character"),
        ("one", "another", "KEY and KEY_FILE are both set"),
        (b"\xff", "", "it is not UTF-8"),
    ],
    ids=["missing", "empty", "lines", "both", "bytes"],
)
def test_a_file_that_gives_no_secret_is_refused(
    tmp_path: Path, content: str | bytes | None, given: str, message: str
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    env = Environment({"KEY_FILE": str(file), "KEY": given})

    env.secret("KEY", default="")

    with pytest.raises(InvalidSettings, match=message):
        env.refuse_mistakes()


def test_a_file_for_a_secret_is_a_small_regular_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    with open(tmp_path / "zeros", "wb") as zeros:
        zeros.truncate(300_000_000)
    (tmp_path / "just-small").write_text("k" * 64 * 1024)
    (tmp_path / "link").symlink_to("just-small")

    def refused(name: str, variable: str = "KEY_FILE") -> list[str]:
        env = Environment({variable: str(tmp_path / name)})
        env.secret("KEY", default="")
        env.text("CA", default="", read=validators.certificates)
        return env.mistakes

    assert not refused("link")
    for name in ("fifo", "loop", "zeros", ".", "missing", "n" * 300, "link/below"):
        (message,) = refused(name)
        assert message.startswith(f"KEY_FILE={tmp_path}"[:120])
        assert len(message) < 400
        assert len(refused(name, "CA")) == 1


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("sk-a-secret-key", "KEY_FILE cannot be read"),
        ("-----BEGIN\nsk-a-secret-key", "KEY_FILE holds a control character"),
        ("/run/a\nb\x1b[31m", "KEY_FILE=/run/a\\nb"),
        ("/run/" + "x" * 5_000, "KEY_FILE=/run/xxx"),
        ("'/run/key'", "KEY_FILE has quotes around it"),
        ("/run/key'", "KEY_FILE=/run/key' has quotes"),
    ],
)
def test_only_a_path_to_a_secret_is_shown(typed: str, message: str) -> None:
    env = Environment({"KEY_FILE": typed})

    env.secret("KEY", default="")

    (mistake,) = env.mistakes
    assert mistake.startswith(message)
    assert "sk-a-secret-key" not in mistake
    assert mistake.isprintable()
    assert len(mistake) < 300


def test_former_keys_lie_in_a_file_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("new\nold\n")

    assert Environment({"KEYS_FILE": str(file)}).secrets("KEYS", default=[]) == ["new", "old"]
