"""The files of deploy/ are well formed and name things that exist."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from string import Template
from typing import Any

import pytest
from daphne.cli import CommandLineInterface
from django.conf import settings
from django.core.management import get_commands, load_command_class
from ruamel.yaml import YAML

from generation.limits import MAX_MESSAGE_BYTES
from generation.management.commands.serve import daphne_command
from generation.worker.aborts import ABORT_TIMEOUT
from tests.documents import variables
from tests.process.nginx import SITE, Nginx, needs_nginx
from tests.studio import ROOT, free_port

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = YAML(typ="safe").load(DEPLOY / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
UNITS = sorted(path.name for path in (DEPLOY / "systemd").iterdir() if path.is_file())
TEXTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in sorted(DEPLOY.rglob("*"))
    # not the secrets of a developer who runs from this checkout
    if path.is_file() and path.name != ".env"
}


def example() -> dict[str, str]:
    """The settings of example.env."""
    text = TEXTS["deploy/example.env"]
    return dict(re.findall(r"^(\w+)=(.*)$", text, flags=re.MULTILINE))


def unit(name: str) -> configparser.SectionProxy:
    """The [Service] section of a unit."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(TEXTS[f"deploy/systemd/{name}"].replace("\\\n", " "))
    return parser["Service"]


def lint(*command: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / command[0]), *command[1:]],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_has_the_form_of_one() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml")


def test_the_dockerfile_has_no_known_mistakes() -> None:
    lint("hadolint", "deploy/Dockerfile")


def test_the_image_gets_every_package_and_nothing_else() -> None:
    copied = set(re.findall(r"^COPY (\S+) ", DOCKERFILE, flags=re.MULTILINE))
    let_in = set(re.findall(r"^!(\S+)$", TEXTS["deploy/Dockerfile.dockerignore"], re.MULTILINE))
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}

    assert copied == let_in
    assert packages < copied
    assert {path for path in copied if not (ROOT / path).exists()} == set()


def test_what_the_image_gets_is_enough_to_begin(tmp_path: Path) -> None:
    for name in re.findall(r"^COPY (\S+) ", DOCKERFILE, flags=re.MULTILINE):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)

    for arguments in (
        ["manage.py", "migrate", "-v", "0"],
        ["manage.py", "collectstatic", "-v", "0", "--no-input"],
        ["-c", "import liujuan_site.asgi"],
    ):
        subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "DATA_DIR": str(tmp_path / "data")},
            check=True,
        )


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
    told = re.search(r"envsubst '([^']+)'", TEXTS["deploy/nginx.conf"])

    assert set(SERVICES["nginx"]["environment"]) == wanted
    assert told
    assert {name.lstrip("$") for name in told[1].split()} == wanted


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units, with this checkout as the place where they find their programs."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    units = tmp_path / "systemd"
    shutil.copytree(DEPLOY / "systemd", units)
    for path in units.rglob("*.*"):
        if path.is_file():
            path.write_text(path.read_text().replace("/opt/liujuan/", f"{ROOT}/"))
    return units


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_the_unit(installed: Path, name: str) -> None:
    analyze(installed, "verify", "--man=no", name.replace("@.", "@8001."))


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_the_unit_may_do_little(installed: Path, name: str) -> None:
    """At most 2 of the 10 points of `systemd-analyze security`."""
    analyze(installed, "security", "--offline=true", "--threshold=20", name)


def analyze(units: Path, verb: str, *arguments: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "--no-pager", verb, *arguments[:-1], str(units / arguments[-1])],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    # it also speaks of units that are not ours
    complaints = [line for line in done.stderr.splitlines() if "liujuan" in line]
    assert (done.returncode, complaints) == (0, []), done.stdout + done.stderr


def test_the_target_starts_units_that_exist() -> None:
    wanted = re.findall(r"liujuan-\S+?\.service", TEXTS["deploy/systemd/liujuan.target"])

    assert {re.sub(r"@\w+\.", "@.", name) for name in wanted} <= set(UNITS)


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


def test_the_compose_file_names_existing_settings() -> None:
    asked = set(re.findall(r"\$\{(\w+)", TEXTS["deploy/compose.yaml"]))

    assert set(SERVICES["web"]["environment"]) <= set(variables())
    assert asked <= set(example())


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

    # whether subdomains have HTTPS too is unknown here
    assert set(re.findall(r"\w+\.[WE]\d+", said)) <= {"security.W005", "security.W021"}


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


@pytest.mark.parametrize("name", ["liujuan-web@.service", "liujuan-worker@.service"])
def test_a_unit_restarts_and_can_be_enabled(name: str) -> None:
    assert unit(name)["Restart"] == "always"
    assert unit(name)["KillMode"] == "mixed"
    assert "[Install]\nWantedBy=liujuan.target" in TEXTS[f"deploy/systemd/{name}"]


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"setup"}))
def test_a_service_restarts_and_reports_its_health(name: str) -> None:
    service = SERVICES[name]

    assert service["restart"] == "unless-stopped"
    # a worker has no port; the webs say whether one lives
    assert ("healthcheck" in service) == (name != "worker")


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"postgres"}))
def test_a_service_can_write_only_into_volumes(name: str) -> None:
    """PostgreSQL's image begins as root, and sets up its folder."""
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_example_is_not_in_the_clear() -> None:
    assert example()["PUBLIC_URL"].startswith("https://")
    assert "HTTPS" not in example()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_the_log_of_a_service_has_a_limit(name: str) -> None:
    options = SERVICES[name]["logging"]["options"]

    assert set(options) == {"max-size", "max-file"}


def test_nginx_is_in_the_group_of_the_files() -> None:
    (group,) = re.findall(r"groupadd --gid (\d+) liujuan", DOCKERFILE)

    assert SERVICES["nginx"]["group_add"] == [group]


def test_nothing_runs_as_root() -> None:
    users = re.findall(r"^USER (\d+)", DOCKERFILE, flags=re.MULTILINE)

    assert [int(user) > 0 for user in users] == [True]
    assert (SERVICES["nginx"]["user"], SERVICES["redis"]["user"]) == ("nginx", "redis")


def test_nginx_only_reads_what_the_studio_writes() -> None:
    volumes = SERVICES["nginx"]["volumes"]

    assert "data:/data:ro" in volumes
    assert "./nginx.conf:/etc/nginx/templates/default.conf.template:ro" in volumes
