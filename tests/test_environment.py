"""Environment variables: accepted values, refused values and their messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from liujuan_site import addresses
from liujuan_site.environment import Environment, InvalidSettings
from tests.documents import variables
from tests.settings import SettingsOf


def test_blank_variables_count_as_unset(settings_of: SettingsOf, tmp_path: Path) -> None:
    blank = dict.fromkeys(variables(), "  ")
    # the default of this one is a folder of the checkout
    del blank["DATA_DIR"]

    plain, blanks = settings_of(), settings_of(**blank)

    different = {name for name in plain if plain[name] != blanks[name]}
    assert different == {"FOLDER"}
    assert Environment({"DATA_DIR": " "}).text("DATA_DIR", default="var") == "var"


def test_the_hint_for_a_quoted_list_has_no_quotes() -> None:
    env = Environment({"ALLOWED_HOSTS": '"a","b"'})

    env.names("ALLOWED_HOSTS", default=[], read=addresses.allowed_host)

    assert env.mistakes[0].endswith("Type ALLOWED_HOSTS=a,b")


@pytest.mark.parametrize("value", ["$x", "$PATH", "a$b", "${HOME}", "'half", "#!=%"])
def test_secrets_are_taken_literally(value: str) -> None:
    env = Environment({"KEY": f" {value}\r\n", "PATH": "/bin"})

    assert env.secret("KEY", default="") == value
    env.refuse_mistakes()


@pytest.mark.parametrize(
    "value", ['"x"', "'x'", "“x”", '"x', "x'", "a\nb", "a\x1bb", "a\x00b", "\udc80"]
)
def test_quotes_and_control_characters_are_named(value: str) -> None:
    env = Environment({"NAME": value})

    assert env.text("NAME", default="left") == "left"
    with pytest.raises(
        InvalidSettings, match=r"NAME=.*(quotes|control character|UTF-8)"
    ) as refused:
        env.refuse_mistakes()
    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize(
    "typed", ["nan", "inf", "1e400", "-1", "0", "1,5", "1_0", "ten", "１０", "٣"]
)
def test_a_number_is_finite_and_in_its_range(typed: str) -> None:
    env = Environment({"SPEED": typed})

    assert env.number("SPEED", default=1.0, least=0.1, most=10) == 1.0
    with pytest.raises(InvalidSettings, match=r"Type SPEED=1$"):
        env.refuse_mistakes()


@pytest.mark.parametrize("typed", ["8000.0", "0", "65536", "٨٠", "0x50", "1" * 5_000])
def test_a_whole_number_is_one(typed: str) -> None:
    env = Environment({"PORT": typed})

    assert env.whole_number("PORT", default=8000, least=1, most=65_535) == 8000
    assert env.mistakes


@pytest.mark.parametrize(
    ("typed", "value"), [("1", True), ("TRUE", True), ("off", False), ("No", False), ("ja", None)]
)
def test_a_switch_is_one_or_nought(typed: str, value: bool | None) -> None:
    env = Environment({"SWITCH": typed})

    assert env.switch("SWITCH", default=True) is (value is not False)
    assert bool(env.mistakes) == (value is None)


class Odd(Exception):
    pass


@pytest.mark.parametrize(
    "error", [Odd("geheim"), RuntimeError("geheim"), KeyError("geheim"), RecursionError("geheim")]
)
@pytest.mark.parametrize("kind", ["text", "secret", "names", "secrets"])
def test_whatever_a_reader_raises_is_a_mistake_of_the_variable(kind: str, error: Exception) -> None:
    def read(value: str) -> str:
        raise error

    env = Environment({"NAME": "typed"})
    default: Any = ["left"] if kind.endswith("s") else "left"

    assert getattr(env, kind)("NAME", default=default, read=read) == default
    with pytest.raises(InvalidSettings, match=rf"NAME.* cannot be used \({type(error).__name__}\)"):
        env.refuse_mistakes()
    assert "geheim" not in env.mistakes[0]


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", ":", "//", "://", "a://", "[", "]", "[]", "@", "@@", "%", "%zz", "?", "#", "="),
        *("http://", "http://[", "http://]", "http://@", "http://:@:1", "http://%00", "http://h%"),
        *("redis://[::1", "redis://%", "unix://", "unix:///", "sqlite:", "sqlite:///"),
        *("sqlite:////", "sqlite:///\u0301", "postgres://", "postgres:///", "postgres:///%00"),
        *("~", "~x", "/", "..", "é", "日本", "٣", "\u202e", "\udc80", "a" * 90_000, "/" * 10_000),
        *("http://" + "é" * 5_000, "postgres://h/" + "x" * 100_000),
        *("postgres://%2F/x", "1;2", "a=1=2", ",,,", "-", "+"),
    ],
)
def test_no_value_of_any_variable_is_a_traceback(settings_of: SettingsOf, typed: str) -> None:
    everywhere = dict.fromkeys(variables(), typed)

    # PORT is always wrong: what is accepted must not be made on this machine
    with pytest.raises(InvalidSettings, match="PORT=x"):
        settings_of(**everywhere | {"PORT": "x"})


def test_a_password_in_a_url_is_not_shown() -> None:
    env = Environment({"PUBLIC_URL": "https://user:geheim@host/x?y"})

    env.text("PUBLIC_URL", default="", read=addresses.public)

    assert "geheim" not in env.mistakes[0]
    assert "***@host" in env.mistakes[0]
