"""One way to print: a small Markdown section per figure."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

PACKAGES = ("Django", "channels", "channels_redis", "daphne", "redis", "Twisted", "autobahn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`rows` are cells in the order of `columns`; the first one names the row."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """`met` compares what was measured with the goal of the design."""

    wanted: str
    measured: str
    met: bool

    def markdown(self) -> str:
        return f"- Goal: {self.wanted}. Measured: {self.measured}. **{self.verdict}**"

    @property
    def verdict(self) -> str:
        return "Met." if self.met else "Missed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`how` says in a sentence or two what was done, and how often."""

    title: str
    how: str
    tables: Sequence[Table]
    goals: Sequence[Goal]
    notes: Sequence[str] = field(default_factory=tuple)

    def markdown(self, name: str, *, quick: bool) -> str:
        command = f"python -m benchmarks {name}{' --quick' if quick else ''}"
        parts = [
            f"## {self.title}",
            f"`{command}` on {machine()}, {versions()}.",
            self.how,
            *(table.markdown() for table in self.tables),
            "\n".join(goal.markdown() for goal in self.goals),
            "\n".join(f"- {note}" for note in self.notes),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"


def machine() -> str:
    """Processor, cores, memory and system; nothing that names this machine."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = model[1].strip() if model else platform.machine()
    return f"{os.cpu_count()} cores ({processor}), {memory:.0f} GiB, Linux {platform.release()}"


def versions() -> str:
    named = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Python {platform.python_version()}, {named}"


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, and from where to where the values went."""
    low, middle, high = min(values), median(values), max(values)
    if len(values) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def ratios(ours: Sequence[float], others: Sequence[float]) -> list[float]:
    """Round by round."""
    return [mine / other for mine, other in zip(ours, others, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of all lie."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def written_into(path: Path, section: str) -> str:
    """The text of `path` with this section in the place of the one of the same title."""
    text = path.read_text(encoding="utf-8") if path.exists() else "# Measured\n"
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    by_title = {each.partition("\n")[0]: each.strip() for each in sections}
    by_title[section.partition("\n")[0]] = section.strip()
    return "\n\n".join([head.strip(), *by_title.values()]) + "\n"
