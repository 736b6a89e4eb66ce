"""The systemd units of deploy/."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy_files import DEPLOY, TEXTS, UNITS, unit
from tests.studio import ROOT


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


@pytest.mark.parametrize("name", ["liujuan-web@.service", "liujuan-worker@.service"])
def test_a_unit_restarts_and_can_be_enabled(name: str) -> None:
    assert unit(name)["Restart"] == "always"
    assert unit(name)["KillMode"] == "mixed"
    assert "[Install]\nWantedBy=liujuan.target" in TEXTS[f"deploy/systemd/{name}"]
