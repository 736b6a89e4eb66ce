"""Environment variables: accepted values, refused values and their messages."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from liujuan_site import addresses, sub_path, validators
from liujuan_site.environment import Environment, InvalidSettings
from tests.documents import variables
from tests.settings import SettingsOf
from tests.studio import ROOT, free_port

OLD, NEW = "an-old-key-for-tests-0123", "the-new-key-for-tests-0123"
NODE = os.uname().nodename.lower()


def start(tmp_path: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The real program in an environment of only that."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**kept, "DATA_DIR": str(tmp_path / "data"), **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_blank_variables_count_as_unset(settings_of: SettingsOf, tmp_path: Path) -> None:
    blank = dict.fromkeys(variables(), "  ")
    # the default of this one is a folder of the checkout
    del blank["DATA_DIR"]

    plain, blanks = settings_of(), settings_of(**blank)

    different = {name for name in plain if plain[name] != blanks[name]}
    assert different == {"FOLDER"}
    assert Environment({"DATA_DIR": " "}).text("DATA_DIR", default="var") == "var"


def test_a_start_names_every_mistake_in_one_sentence_each(tmp_path: Path) -> None:
    done = start(
        tmp_path,
        *("manage.py", "serve"),
        PORT="eighty",
        TIME_ZONE="Asia/Beijing2",
        REDIS_URL="redis://:geheim@host:x/0",
    )

    assert done.returncode == 1
    first, *lines = done.stderr.splitlines()
    assert first == "The studio cannot start with these settings:"
    assert {line.split("=")[0].split()[0] for line in lines} == {"PORT", "REDIS_URL", "TIME_ZONE"}
    assert len(lines) == 3
    assert all("Type " in line for line in lines)
    assert "geheim" not in done.stderr


@pytest.mark.parametrize(
    "command",
    [("-m", "daphne", "-p", "1", "liujuan_site.asgi:application"), ("manage.py", "run_worker")],
    ids=["daphne", "run_worker"],
)
def test_a_bad_value_ends_every_command(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = start(tmp_path, *command, XINFERENCE_URL="localhost:9997")

    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [
        "XINFERENCE_URL has no scheme. Type XINFERENCE_URL=http://localhost:9997"
    ]


def test_a_server_refuses_settings_that_do_not_fit_together(tmp_path: Path) -> None:
    command = ("-m", "daphne", "-p", str(free_port()), "liujuan_site.asgi:application")

    done = start(tmp_path, *command, REDIS_URL="redis://127.0.0.1:1/0")

    assert done.returncode == 1
    assert "Set XINFERENCE_URL=http://host:9997" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_of_anything_but_a_secret_is_refused(settings_of: SettingsOf) -> None:
    names = ("ALLOWED_HOSTS", "PORT", "XINFERENCE_MODEL", "DEBUG", "DEMO_SPEED", "XINFERENCE_CA")

    with pytest.raises(InvalidSettings) as refused:
        settings_of(**{f"{name}_FILE": "/run/value" for name in names})

    assert {line.split("_FILE ")[0] for line in str(refused.value).splitlines()[1:]} == set(names)


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
        ({}, ["http://127.0.0.1:8000"]),
        ({"HOST": "fd00::5", "PORT": "81"}, ["http://[fd00::5]:81"]),
        ({"HOST": "0.0.0.0"}, ["http://127.0.0.1:8000", f"http://{NODE}:8000"]),
        ({"HOST": "::"}, ["http://[::1]:8000", f"http://{NODE}:8000"]),
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


def test_model_server_password_is_hidden(settings_of: SettingsOf) -> None:
    settings = settings_of(XINFERENCE_URL="http://user:p%40ss@gpu:9997")

    assert settings["MODEL_SERVER"] == "http://***@gpu:9997"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "DEMO_FAULTS=.* is not a file that can be read"),
        ("{", "is not JSON"),
        ("{}", "holds no list"),
        ("[1]", "objects: 1"),
        ('[{"do": "drop", "match": 5}]', "objects"),
        ('[{"do": "stall", "seconds": "x"}]', "seconds in a fault must be a number"),
        ('[{"do": "stall", "step": "y"}]', "step in a fault must be a whole number"),
        ('[{"do": "dance"}]', "not a fault"),
    ],
)
def test_unusable_faults_of_the_demo_model_are_refused(
    settings_of: SettingsOf, tmp_path: Path, content: str | None, message: str
) -> None:
    file = tmp_path / "faults.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    with pytest.raises(InvalidSettings, match=message):
        settings_of(DEMO_FAULTS=str(file))


def test_faults_are_refused_with_a_real_model_server(
    settings_of: SettingsOf, tmp_path: Path
) -> None:
    file = tmp_path / "faults.json"
    file.write_text('[{"do": "drop", "times": 1}]', encoding="utf-8")

    assert settings_of(DEMO_FAULTS=str(file))["DEMO_FAULTS"] == str(file)
    with pytest.raises(InvalidSettings, match="DEMO_FAULTS is of the demo model"):
        settings_of(DEMO_FAULTS=str(file), XINFERENCE_URL="http://gpu:9997")


def test_an_address_that_nothing_can_listen_on_ends_with_one(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        in_use = start(tmp_path, "manage.py", "serve", PORT=port)
        foreign = start(tmp_path, "manage.py", "serve", HOST="192.0.2.1")

    assert [in_use.returncode, foreign.returncode] == [1, 1]
    assert "Another program listens there. Type PORT=8001" in in_use.stderr
    assert "HOST must be an address of this machine" in foreign.stderr
    assert "Traceback" not in in_use.stderr + foreign.stderr
