"""Files of deploy/ agree with the program and with each other."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from string import Template
from typing import Any

import pytest
from daphne.cli import CommandLineInterface
from django.conf import settings
from django.core.management import get_commands, load_command_class

from generation.limits import MAX_MESSAGE_BYTES
from generation.management.commands.serve import daphne_command
from generation.worker.aborts import ABORT_TIMEOUT
from tests.deploy_files import DOCKERFILE, SERVICES, TEXTS, example, unit
from tests.documents import variables
from tests.process.nginx import SITE, Nginx, needs_nginx
from tests.studio import ROOT, free_port


@needs_nginx
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_nginx_understands_its_site(tmp_path: Path, tls: bool) -> None:
    port = free_port() if tls else None
    nginx = Nginx(tmp_path, webs=[8001, 8002], data_dir=tmp_path, tls_port=port)

    checked = nginx.check()

    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr
    assert not re.search(r"\$\{\w+\}", (tmp_path / "site.conf").read_text())


def test_every_renderer_sets_every_variable() -> None:
    names = Template(SITE.read_text(encoding="utf-8")).get_identifiers()
    wanted = {name for name in names if name.isupper()}
    listed = re.search(r"envsubst '([^']+)'", TEXTS["deploy/nginx.conf"])

    assert set(SERVICES["nginx"]["environment"]) == wanted
    assert listed
    assert {name.lstrip("$") for name in listed[1].split()} == wanted


def web_commands() -> dict[str, list[str]]:
    container = re.search(r"^CMD (\[.*\])$", DOCKERFILE.replace("\\\n", ""), re.MULTILINE)
    assert container
    return {
        "Dockerfile": json.loads(container[1]),
        "systemd": shlex.split(unit("liujuan-web@.service")["ExecStart"].replace("%i", "8001")),
    }


def options_of(command: list[str]) -> dict[str, Any]:
    """As Daphne itself reads them, but where it listens."""
    options = vars(CommandLineInterface().parser.parse_args(command))
    return {key: value for key, value in options.items() if key not in ("host", "port")}


@pytest.mark.parametrize("place", ["Dockerfile", "systemd"])
def test_a_web_is_started_as_in_one_process(place: str) -> None:
    program, *arguments = web_commands()[place]
    tested = daphne_command()

    assert Path(program).name == "daphne"
    assert options_of(arguments) == options_of(tested[tested.index("daphne") + 1 :])
    assert options_of(arguments)["websocket_max_message_size"] > MAX_MESSAGE_BYTES


def test_every_command_exists_and_takes_its_options() -> None:
    named = [
        shlex.split(found)
        for text in TEXTS.values()
        for found in re.findall(r"manage\.py (\w+(?: --?\w[\w-]*(?: \d+)?)*)", text)
    ]

    assert {command for command, *_rest in named} >= {"migrate", "collectstatic", "run_worker"}
    # manage.py itself knows this one
    for command, *options in (each for each in named if each != ["version"]):
        loaded = load_command_class(get_commands()[command], command)
        loaded.create_parser("manage.py", command).parse_args(options)


def test_example_settings_are_settings() -> None:
    assert set(example()) - {"POSTGRES_PASSWORD", "BASE_PATH"} <= set(variables())


def test_example_settings_hold_no_secret() -> None:
    secrets = ("SECRET_KEY", "POSTGRES_PASSWORD", "XINFERENCE_API_KEY")

    assert [example()[name] for name in secrets] == ["", "", ""]


def test_the_example_filled_in_passes_the_checks(tmp_path: Path) -> None:
    filled = {
        **example(),
        "SECRET_KEY": "a-key-of-this-test-that-is-long-enough-and-quite-mixed-0123456789",
        "XINFERENCE_URL": "http://model.example:9997",
        "DATA_DIR": str(tmp_path),
    }
    said = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=ROOT,
        env={**os.environ, **filled},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        check=True,
    ).stderr

    assert re.findall(r"\w+\.[WE]\d+", said) == []


def last_words(name: str) -> float:
    """Seconds that a process may need between SIGTERM and its end."""
    if name == "web":
        return float(options_of(web_commands()["systemd"][1:])["application_close_timeout"])
    return 2 * settings.GENERATION_GRACE.total_seconds() + ABORT_TIMEOUT


@pytest.mark.parametrize("name", ["web", "worker"])
def test_stop_timeouts_exceed_the_grace_period(name: str) -> None:
    in_systemd = unit(f"liujuan-{name}@.service")["TimeoutStopSec"]
    in_compose = SERVICES[name]["stop_grace_period"].removesuffix("s")

    assert min(float(in_systemd), float(in_compose)) > last_words(name)


def test_the_example_is_not_in_the_clear() -> None:
    assert example()["PUBLIC_URL"].startswith("https://")
    assert "HTTPS" not in example()
