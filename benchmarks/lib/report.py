"""Reports as Markdown sections, one per figure."""

from __future__ import annotations

import math
import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("Django", "channels", "channels_redis", "daphne", "redis", "Twisted", "autobahn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`rows` are cells in the order of `columns`; the first cell names the row."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A goal of the design, and whether the measured value meets it."""

    wanted: str
    measured: str
    met: bool

    def markdown(self) -> str:
        return f"- Goal: {self.wanted}. Measured: {self.measured}. **{self.verdict}**"

    @property
    def verdict(self) -> str:
        return "Met." if self.met else "Missed."


def ratio_goal(
    wanted: str, ratios: Sequence[float], *, least: float = 0.0, most: float = math.inf
) -> Goal:
    """A goal for the median of `ratios`."""
    met = least <= median(ratios) <= most
    return Goal(wanted=wanted, measured=f"{spread(ratios)} ×", met=met)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The part of a page in `docs/` that a figure writes, at its `mark`."""

    page: str
    mark: str
    text: str

    def write(self) -> None:
        """Replace the text between the marks; the page must have them."""
        path = ROOT / "docs" / self.page
        path.write_text(between_marks(path.read_text(encoding="utf-8"), self), encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`how` describes the measurement in a few sentences."""

    title: str
    how: str
    tables: Sequence[Table]
    goals: Sequence[Goal]
    notes: Sequence[str] = field(default_factory=tuple)
    excerpts: Sequence[Excerpt] = field(default_factory=tuple)

    def markdown(
        self, name: str, *, flags: Sequence[str] = (), seconds: float | None = None
    ) -> str:
        command = " ".join(["python -m benchmarks", name, *flags])
        took = "" if seconds is None else f" Took {seconds:.0f} s."
        parts = [
            f"## {self.title}",
            f"`{command}` on {machine()}, {versions()}.{took}",
            self.how,
            *(table.markdown() for table in self.tables),
            "\n".join(goal.markdown() for goal in self.goals),
            "\n".join(f"- {note}" for note in self.notes),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"


GOAL = re.compile(r"^- Goal: (.+?)\. Measured: (.+)\. \*\*(Met|Missed)\.\*\*$", re.MULTILINE)


def machine() -> str:
    """Cores, processor, memory and system, without the name of the machine."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = model[1].strip() if model else platform.machine()
    return f"{os.cpu_count()} cores ({processor}), {memory:.0f} GiB, Linux {platform.release()}"


def versions() -> str:
    named = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Python {platform.python_version()}, {named}"


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, lowest and highest value."""
    low, middle, high = min(values), median(values), max(values)
    if len(values) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def ratios(ours: Sequence[float], others: Sequence[float]) -> list[float]:
    """Quotients round by round."""
    return [mine / other for mine, other in zip(ours, others, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share (0..1) of all values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def written_into(path: Path, section: str) -> str:
    """The text of `path` with this section and a new summary of goals."""
    text = path.read_text(encoding="utf-8") if path.exists() else "# Measured\n"
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    by_title = {each.partition("\n")[0]: each.strip() for each in sections}
    by_title[section.partition("\n")[0]] = section.strip()
    title = head.partition("\n")[0]
    return "\n\n".join([title, *summary(by_title.values()), *by_title.values()]) + "\n"


def summary(sections: Iterable[str]) -> list[str]:
    """A sentence and a table of all goals; empty without goals."""
    rows = [
        [each.partition("\n")[0].removeprefix("## "), wanted, measured, verdict.lower()]
        for each in sections
        for wanted, measured, verdict in GOAL.findall(each)
    ]
    if not rows:
        return []
    met = sum(row[-1] == "met" for row in rows)
    table = Table(columns=("figure", "goal", "measured", "verdict"), rows=rows)
    return [f"{met} of {len(rows)} goals are met.", table.markdown()]


def between_marks(page: str, excerpt: Excerpt) -> str:
    begin, end = f"<!-- measured: {excerpt.mark} -->", f"<!-- end: {excerpt.mark} -->"
    before, _begin, rest = page.partition(begin)
    _old, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{excerpt.page} has no place for {excerpt.mark}")
    return f"{before}{begin}\n\n{excerpt.text.strip()}\n\n{end}{after}"
