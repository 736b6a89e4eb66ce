"""The studio under several versions of Python: the same figures in an environment of each."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.lib.report import GOAL, ROOT, Report, Table

FIGURES = ("overhead", "fifty_at_once", "append")
ENVIRONMENTS = ".venv-python3.*"
"""Made by `make compare-pythons`; .venv is measured too."""

TITLE = re.compile(r"^## (.+)$", re.MULTILINE)


def measure(quick: bool) -> Report:
    pythons = [ROOT / ".venv", *sorted(ROOT.glob(ENVIRONMENTS))]
    names = []
    measured: dict[str, list[str]] = defaultdict(list)
    for environment in pythons:
        python = str(environment / "bin/python")
        names.append(subprocess.check_output([python, "--version"], text=True).strip())
        for goal, value in goals(python, quick).items():
            measured[goal].append(value)
    return Report(
        title="Under other versions of Python",
        how=f"{', '.join(FIGURES)}, one version after the other; each value is a ratio or a "
        "difference to the direct call or the bare insert of the same run. "
        + ("" if len(pythons) > 1 else "`make compare-pythons` makes the other environments."),
        tables=[
            Table(
                columns=("goal", *names),
                rows=[[goal, *values] for goal, values in measured.items()],
            )
        ],
        goals=[],
    )


def goals(python: str, quick: bool) -> dict[str, str]:
    """What was measured under this Python, by goal."""
    with tempfile.TemporaryDirectory(prefix="liujuan-benchmark-") as folder:
        results = Path(folder, "results.md")
        command = [python, "-m", "benchmarks", *FIGURES, "--write", str(results)]
        subprocess.run(
            [*command, *(["--quick"] if quick else [])],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        text = results.read_text(encoding="utf-8")
    return {
        f"{title}: {wanted}": value
        for title, section in zip(*[iter(TITLE.split(text)[1:])] * 2, strict=True)
        for wanted, value, _verdict in GOAL.findall(section)
    }
