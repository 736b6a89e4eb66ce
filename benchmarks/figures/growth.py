"""Cost of a longer queue, log or gallery and of more watchers; gain of more processes.

The curves are kept in docs/growth.csv and drawn by `benchmarks.lib.plots`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import median

from benchmarks.figures.growth_of_rows import gallery_curve, log_length_curves, queue_length_curves
from benchmarks.figures.growth_of_traffic import rate_curves, watcher_curve, web_curve, worker_curve
from benchmarks.figures.growth_sizes import QUICK, WHOLE, Size
from benchmarks.lib import plots
from benchmarks.lib.curves import Curve, write_csv
from benchmarks.lib.listeners import listeners
from benchmarks.lib.loaded_site import Cpu, LoadResult, loaded_site
from benchmarks.lib.report import Excerpt, Report, Table, spread

ONLINE = 1_000_000 // 20
PICTURES_A_DAY = 5_000_000
BUSIEST = 3
"""Times the average, in the busiest hour."""

GPU_SECONDS = 5
EVENTS = 25
"""Of one task, each delivered to one page."""

HALF_FULL = 0.5
KIB_PER_SOCKET = 30
"""From the figure of idle sockets."""

SERVED = 0.95
"""Share of the offered rate; below it the studio is saturated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The result at each offered rate; CPU used by `deliveries` deliveries to the largest crowd."""

    results: dict[int, LoadResult]
    delivery_cpu: Cpu
    deliveries: int


def measure(quick: bool) -> Report:
    size = QUICK if quick else WHOLE
    queues = queue_length_curves(size)
    galleries = gallery_curve(size)
    with loaded_site(max(size.processes), max(size.processes), size.people) as site:
        logs = log_length_curves(site, size)
        with listeners() as audience:
            watchers, delivery_cpu, deliveries = watcher_curve(site, audience, size)
            webs = web_curve(site, audience, size)
        rates, results = rate_curves(site, size)
        workers = worker_curve(site, size)
    curves = [*queues, *logs, galleries, watchers, *rates, workers, webs]
    load = Load(results=results, delivery_cpu=delivery_cpu, deliveries=deliveries)
    return report(curves, load, size, quick)


def report(curves: list[Curve], load: Load, size: Size, quick: bool) -> Report:
    growing = exponents(curves)
    parts = shares(load)
    growth = [
        f"{curve.name} grows faster than n log n at its end."
        for curve in curves
        if curve.grows_too_fast()
    ] or ["Nothing grows faster than n log n."]
    full = bottlenecks(load)
    excerpts = [] if quick else curve_excerpts(curves)
    return Report(
        title="Growth",
        how=f"PostgreSQL, Redis, one web and one worker, a model that takes 1 s for each of any "
        f"number; one size grows at a time. {size.rounds} rounds of each size after a warm-up; "
        f"tasks per second and workers: one run of {size.seconds:.0f} s each, {size.people} "
        "people. The exponent is that of least squares through the logarithms: 0 is no growth, 1 "
        "is in proportion; the second one is of the larger half of the sizes.",
        tables=[growing, parts],
        goals=[],
        notes=[*growth, *full],
        excerpts=[
            Excerpt(page="scaling.md", mark="growth", text=with_notes(growing, growth)),
            Excerpt(page="scaling.md", mark="bottlenecks", text=with_notes(parts, full)),
            Excerpt(page="scaling.md", mark="million", text=capacity_table(load).markdown()),
            *excerpts,
        ],
    )


def with_notes(table: Table, notes: list[str]) -> str:
    return table.markdown() + "\n\n" + "\n".join(f"- {note}" for note in notes)


def curve_excerpts(curves: list[Curve]) -> list[Excerpt]:
    """Write the points to a file and, if matplotlib is installed, draw them for the page."""
    write_csv(plots.CSV, curves)
    if not plots.can_draw():
        return []
    rows = [
        [f"{curve.name}: {curve.measured}", f"![{curve.name}]({path.name})"]
        for curve, path in zip(curves, plots.draw_all(), strict=True)
    ]
    table = Table(columns=("curve", "picture"), rows=rows)
    return [Excerpt(page="scaling.md", mark="curves", text=table.markdown())]


def exponents(curves: list[Curve]) -> Table:
    rows = []
    for curve in curves:
        (least, first), *_between, (most, last) = curve.points.items()
        rows.append(
            [
                f"{curve.name}, {curve.measured}",
                f"{least:,} to {most:,} {curve.size}",
                spread(first, 1),
                spread(last, 1),
                f"{curve.exponent():.2f}",
                f"{curve.upper_exponent():.2f}",
                f"{curve.ideal:g}",
            ]
        )
    columns = (
        *("what", "sizes", "at the smallest", "at the largest"),
        *("exponent", "at its end", "without limits"),
    )
    return Table(columns=columns, rows=rows)


def saturation(load: Load) -> tuple[int, LoadResult]:
    """The highest rate that was served, with its result."""
    served = {
        rate: result
        for rate, result in load.results.items()
        if result.per_second >= SERVED * rate or rate == min(load.results)
    }
    rate = max(served)
    return rate, served[rate]


def limits(load: Load) -> list[tuple[str, float]]:
    """Tasks per second at which one core of each part is saturated, lowest first."""
    _rate, result = saturation(load)
    done = max(1, len(result.took))
    return sorted(
        ((name, done / used) for name, used in result.cpu.items() if used), key=lambda each: each[1]
    )


def shares(load: Load) -> Table:
    rate, result = saturation(load)
    done = max(1, len(result.took))
    full = dict(limits(load))
    rows = [
        [
            name,
            f"{used / result.seconds * 100:.0f}",
            f"{used / done * 1e3:.1f}",
            f"{full[name]:.0f}" if name in full else "",
            f"{load.delivery_cpu[name] / load.deliveries * 1e6:.1f}",
        ]
        for name, used in result.cpu.items()
    ]
    columns = (
        *("part", f"% of a core at {rate} tasks/s", "CPU per task, ms"),
        *("tasks/s that fill a core", "CPU per delivery, µs"),
    )
    return Table(columns=columns, rows=rows)


def capacity_table(load: Load) -> Table:
    """Cores of each part in the busiest hour of a million people, and what else they need."""
    _rate, result = saturation(load)
    done = max(1, len(result.took))
    per_second = PICTURES_A_DAY / 86_400 * BUSIEST
    rows = [
        ["new tasks per second", f"{per_second:.0f}"],
        ["events per second", f"{per_second * EVENTS:,.0f}"],
        *(
            [f"cores for {name}", str(ceil(per_second * used / done / HALF_FULL))]
            for name, used in result.cpu.items()
        ),
        ["open pages", f"{ONLINE:,}"],
        ["memory of their sockets", f"{ONLINE * KIB_PER_SOCKET / 2**20:.1f} GiB"],
        ["replicas of the model", f"{per_second * GPU_SECONDS:,.0f}"],
        ["pictures a day, of 300 KiB", f"{PICTURES_A_DAY * 300 / 2**30:.1f} TiB"],
        ["events a day, of 500 bytes", f"{PICTURES_A_DAY * EVENTS * 500 / 2**30:.0f} GiB"],
    ]
    return Table(columns=("what", "in the busiest hour"), rows=rows)


def bottlenecks(load: Load) -> list[str]:
    (first, at), *others = limits(load)
    found = [f"First bottleneck: the {first}, one core of which is full at {at:.0f} tasks/s."]
    if others:
        (second, later), *_rest = others
        found.append(f"The next one: the {second}, at {later:.0f} tasks/s for each core.")
    highest = max(load.results)
    result = load.results[highest]
    found.append(
        f"At {highest} new tasks/s this machine finished {result.per_second:.1f} each second, "
        f"{median(result.took) if result.took else 0:.1f} s after their submission."
    )
    return found
