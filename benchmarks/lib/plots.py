"""Plots of the curves: `python -m benchmarks.lib.plots` draws docs/growth-*.png from the CSV."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.lib.curves import Curve, read_csv
from benchmarks.lib.report import ROOT

CSV = ROOT / "docs" / "growth.csv"
TOKENS = ROOT / "static" / "studio" / "css" / "theme.css"
INCHES = (6.4, 4.0)
DPI = 100


def can_draw() -> bool:
    return find_spec("matplotlib") is not None


def colours() -> dict[str, str]:
    """The colours of the light theme by name."""
    css = TOKENS.read_text(encoding="utf-8")
    return dict(re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]+),", css))


def draw_all(path: Path = CSV, folder: Path = ROOT / "docs") -> list[Path]:
    """Draw one picture per curve; their paths."""
    return [draw(curve, folder) for curve in read_csv(path)]


def draw(curve: Curve, folder: Path) -> Path:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    ink = colours()
    figure, axes = pyplot.subplots(figsize=INCHES, dpi=DPI, facecolor=ink["paper"])
    sizes = list(curve.points)
    middle = [median(values) for values in curve.points.values()]
    low = [min(values) for values in curve.points.values()]
    high = [max(values) for values in curve.points.values()]
    axes.fill_between(sizes, low, high, color=ink["huaqing-100"], label="lowest to highest")
    axes.plot(sizes, middle, color=ink["huaqing-700"], marker="o", linewidth=2, label="median")
    guide = [middle[0] * (size / sizes[0]) ** curve.ideal for size in sizes]
    axes.plot(sizes, guide, color=ink["zhusha-600"], linestyle=":", label="without limits")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    ticks = nice_ticks(min(low + guide), max(high + guide))
    axes.set_yticks(ticks, [f"{tick:,g}" for tick in ticks])
    axes.set_xlabel(curve.size)
    axes.set_ylabel(curve.measured)
    title = f"{curve.name[:1].upper()}{curve.name[1:]}: exponent {curve.exponent():.2f}"
    axes.set_title(title, loc="left", color=ink["ink-900"], fontweight="bold")
    quieten(axes, ink)
    figure.tight_layout()
    path = folder / f"growth-{curve.name.replace(' ', '-')}.png"
    figure.savefig(path, metadata={"Software": None})
    pyplot.close(figure)
    return path


def nice_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten between the two, and one beyond each end."""
    every = [digit * 10.0**power for power in range(-4, 8) for digit in (1, 2, 5)]
    inside = [each for each in every if low <= each <= high]
    below = [each for each in every if each < low][-1:]
    above = [each for each in every if each > high][:1]
    return below + (inside if len(inside) < 8 else inside[::2]) + above


def quieten(axes: Any, ink: dict[str, str]) -> None:
    axes.set_facecolor(ink["hollow"])
    axes.grid(color=ink["ink-100"], linewidth=0.8)
    axes.tick_params(colors=ink["ink-600"], labelsize=9)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(ink["ink-800"])
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(ink["ink-300"])
    axes.legend(frameon=False, labelcolor=ink["ink-800"], fontsize=9)


if __name__ == "__main__":
    if not can_draw():
        sys.exit("matplotlib is not installed: make install-bench")
    for drawn in draw_all():
        print(drawn.relative_to(ROOT), f"{drawn.stat().st_size / 1024:.0f} KiB")
