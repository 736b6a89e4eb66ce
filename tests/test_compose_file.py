"""The compose file and the Dockerfile of deploy/."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy_files import DOCKERFILE, SERVICES, TEXTS, example, lint
from tests.documents import variables
from tests.studio import ROOT


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


def test_the_compose_file_names_existing_settings() -> None:
    asked = set(re.findall(r"\$\{(\w+)", TEXTS["deploy/compose.yaml"]))

    assert set(SERVICES["web"]["environment"]) <= set(variables())
    assert asked <= set(example())


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
