"""Benchmarks run and print complete reports; their speed is not checked here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.lib.asgi_servers import SERVERS
from benchmarks.lib.curves import Curve, read_csv, write_csv
from benchmarks.lib.plots import colours, nice_ticks
from benchmarks.lib.report import (
    Excerpt,
    Goal,
    Report,
    Table,
    between_marks,
    percentile,
    spread,
    written_into,
)
from tests.studio import ROOT

has_servers = bool(shutil.which("redis-server") and any(Path("/usr/lib/postgresql").glob("*/bin")))
needs_servers = pytest.mark.skipif(not has_servers, reason="PostgreSQL or Redis is not installed")


@needs_servers
@pytest.mark.parametrize("name", ["idle_processes", "stalled_clients", "overhead", "append"])
def test_a_figure_can_be_measured(name: str, tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    command = [sys.executable, "-m", "benchmarks", name, "--quick", "--write", str(results)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stderr
    # tokens of new accounts are logged, and a layer that a busy machine kept waiting for a second
    expected = re.compile(r" INFO liujuan\.security | generation\.layer layer_(down|back) ")
    assert [line for line in done.stderr.splitlines() if not expected.search(line)] == []
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
    return report.markdown("a_name")


def test_a_report_states_whether_the_goal_was_met() -> None:
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


def test_spread_formats_median_lowest_and_highest() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00 to 3.00)"
    assert spread([1.25], 1) == "1.2"
    assert percentile(list(range(100)), 0.99) == 99


def test_the_results_begin_with_every_goal_and_whether_it_is_met(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    for section in (a_report("Speed", "1"), a_report("Memory", "2"), a_report("Speed", "2")):
        results.write_text(written_into(results, section))

    top = results.read_text().partition("## ")[0]

    assert top == (
        "# Measured\n\n0 of 2 goals are met.\n\n"
        "| figure | goal | measured | verdict |\n| --- | --- | --- | --- |\n"
        "| Speed | at most 1 | 2 | missed |\n| Memory | at most 1 | 2 | missed |\n\n"
    )


def test_the_results_that_are_kept_lose_no_goal(tmp_path: Path) -> None:
    kept = (ROOT / "benchmarks/RESULTS.md").read_text()
    results = tmp_path / "RESULTS.md"
    results.write_text(kept)

    text = written_into(results, a_report("Speed", "1"))

    rows = re.findall(r"^\|.+\| (?:met|missed) \|$", text, re.MULTILINE)
    assert len(rows) == text.count("\n- Goal: ")


def test_an_excerpt_replaces_only_the_text_between_its_marks() -> None:
    page = "before\n\n<!-- measured: speed -->\n\nold\n\n<!-- end: speed -->\n\nafter\n"
    excerpt = Excerpt(page="page.md", mark="speed", text="| new |\n")

    text = between_marks(page, excerpt)

    assert text == page.replace("old", "| new |")
    assert between_marks(text, excerpt) == text
    with pytest.raises(ValueError, match=r"page\.md has no place for speed"):
        between_marks("nothing", excerpt)


@pytest.mark.parametrize("page", ["operations.md", "scaling.md", "../README.md"])
def test_every_mark_of_a_page_has_its_end(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()

    marks = re.findall(r"<!-- measured: (\w+) -->", text)

    assert marks
    assert marks == re.findall(r"<!-- end: (\w+) -->", text)


def a_curve(values: dict[int, float], **others: bool) -> Curve:
    points = {size: [value, value * 2, value / 2] for size, value in values.items()}
    return Curve(name="cost", size="things", measured="ms", points=points, ideal=0, **others)


def test_the_exponent_is_that_of_the_medians() -> None:
    assert a_curve({1: 3, 10: 3, 100: 3}).exponent() == pytest.approx(0)
    assert a_curve({1: 2, 10: 20, 100: 200}).exponent() == pytest.approx(1)
    assert a_curve({1: 7, 10: 7, 100: 7, 1_000: 70}).upper_exponent() == pytest.approx(0.5)


def test_only_a_cost_above_n_log_n_grows_too_fast() -> None:
    assert a_curve({10: 1, 100: 100, 1_000: 10_000}).grows_too_fast()
    assert not a_curve({10: 10, 100: 200, 1_000: 3_000}).grows_too_fast()
    assert not a_curve({10: 1, 100: 100, 1_000: 10_000}, is_gain=True).grows_too_fast()
    assert not a_curve({1: 1, 2: 8}).grows_too_fast()


def test_curves_survive_writing_and_reading(tmp_path: Path) -> None:
    curves = [a_curve({1: 2.0, 10: 20.0}), a_curve({5: 1.5, 50: 2.5})]
    write_csv(tmp_path / "growth.csv", curves[:1])

    (back,) = read_csv(tmp_path / "growth.csv")

    assert back.medians() == curves[0].medians()
    assert (back.name, back.size, back.measured) == ("cost", "things", "ms")


def test_plots_have_the_colours_of_the_studio_and_round_numbers() -> None:
    assert {"paper", "hollow", "ink-900", "huaqing-700", "zhusha-600"} <= colours().keys()
    assert nice_ticks(3, 40) == [2, 5, 10, 20, 50]


@pytest.mark.parametrize("name", SERVERS)
def test_every_server_is_started_for_the_port_and_the_application(name: str) -> None:
    command = SERVERS[name](8123, "some:application")

    assert command[:2] == ["-m", name]
    assert command[-1] == "some:application"
    assert any("8123" in part for part in command)
