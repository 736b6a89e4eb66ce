"""Measure figures and print them as Markdown; without names, all short ones."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import time
from importlib import import_module
from pathlib import Path

from benchmarks.lib.noise import noise
from benchmarks.lib.process_stats import allow_many_files
from benchmarks.lib.report import Report, written_into

FIGURES = (
    "overhead",
    "fifty_at_once",
    "fan_out",
    "replay",
    "append",
    "reload",
    "big_pages",
    "claims",
    "idle_processes",
    "idle_sockets",
    "bad_answers",
    "first_paint",
    "event_to_paint",
    "revocation",
    "start_up",
)
LONG = (
    "lost_events",
    "abandoned_sockets",
    "stalled_clients",
    "many_cards",
    "servers_in_line",
    "staff_pages",
)
"""Failures, leaks, congestion and a million tasks take minutes: with --long or by name."""

STUDIES = ("compare_servers", "compare_layers", "compare_pythons", "growth", "peers")
"""Help to decide and have no goal: only by name."""

ALL = (*FIGURES, *LONG, *STUDIES)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ALL)}")
    parser.add_argument("--long", action="store_true", help="the figures that take minutes each")
    parser.add_argument("--quick", action="store_true", help="small sizes: checks that it runs")
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="replace the sections of the figures there, and the tables in docs/",
    )
    parser.add_argument(
        "--noise",
        type=int,
        default=0,
        metavar="N",
        help="keep N other processes busy; the tables in docs/ are not replaced",
    )
    options = parser.parse_args()
    unknown = set(options.names) - set(ALL)
    if unknown:
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    # exit normally, so that started servers are stopped
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    allow_many_files()
    # a collection in the load generator would count as latency of the server
    gc.disable()
    names = options.names or list(LONG if options.long else FIGURES)
    began = time.monotonic()
    with noise(options.noise):
        for name in names:
            report_figure(name, quick=options.quick, noisy=options.noise, results=options.write)
            gc.collect()
    if len(names) > 1:
        print(f"{len(names)} figures in {(time.monotonic() - began) / 60:.1f} minutes.")
    return 0


def report_figure(name: str, *, quick: bool, noisy: int, results: Path | None) -> None:
    """Measure and print; quick and noisy reports do not replace tables in docs/."""
    began = time.monotonic()
    report: Report = import_module(f"benchmarks.figures.{name}").measure(quick)
    flags = [*(["--quick"] if quick else []), *([f"--noise {noisy}"] if noisy else [])]
    section = report.markdown(name, flags=flags, seconds=time.monotonic() - began)
    print(section, flush=True)
    if results is None:
        return
    results.write_text(written_into(results, section), encoding="utf-8")
    for excerpt in () if flags else report.excerpts:
        excerpt.write()


if __name__ == "__main__":
    sys.exit(main())
