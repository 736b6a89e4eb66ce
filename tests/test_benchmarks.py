"""The benchmarks still run, and print what their readers look for; how fast is not asked here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.report import Goal, Report, Table, percentile, spread, written_into
from tests.studio import ROOT

has_servers = bool(shutil.which("redis-server") and any(Path("/usr/lib/postgresql").glob("*/bin")))
needs_servers = pytest.mark.skipif(not has_servers, reason="PostgreSQL or Redis is not installed")


@needs_servers
@pytest.mark.parametrize("name", ["idle_processes", "deaf_clients"])
def test_a_figure_can_be_measured(name: str, tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    command = [sys.executable, "-m", "benchmarks", name, "--quick", "--write", str(results)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert results.read_text().count(done.stdout.strip()) == 1
    assert f"`python -m benchmarks {name} --quick` on " in done.stdout
    tables = re.findall(r"(?:^\|.+\|\n)+", done.stdout, re.MULTILINE)
    for table in tables:
        heading, *rows = [line.count(" | ") for line in table.splitlines()]
        assert set(rows) == {heading}
        assert len(rows) >= 3
    assert tables


def a_report(title: str, measured: str) -> str:
    goal = Goal(wanted="at most 1", measured=measured, met=measured == "1")
    table = Table(columns=("side", "ms"), rows=[("ours", "2"), ("stock", "3")])
    report = Report(title=title, how="Once.", tables=[table], goals=[goal])
    return report.markdown("a_name", quick=False)


def test_a_report_says_in_words_whether_the_goal_was_met() -> None:
    assert "Goal: at most 1. Measured: 1. **Met.**" in a_report("Speed", "1")
    assert "Goal: at most 1. Measured: 2. **Missed.**" in a_report("Speed", "2")
    assert "| side | ms |\n| --- | --- |\n| ours | 2 |\n| stock | 3 |" in a_report("Speed", "1")


def test_a_new_measurement_replaces_only_its_own_section(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    for section in (a_report("Speed", "1"), a_report("Memory", "1"), a_report("Speed", "2")):
        results.write_text(written_into(results, section))

    text = results.read_text()

    assert re.findall("^#.*", text, re.MULTILINE) == ["# Measured", "## Speed", "## Memory"]
    assert text.count("**Missed.**") == text.count("**Met.**") == 1


def test_a_figure_is_told_with_its_spread() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00 to 3.00)"
    assert spread([1.25], 1) == "1.2"
    assert percentile(list(range(100)), 0.99) == 99
