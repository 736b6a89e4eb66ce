"""Measure figures and print them as Markdown; without names, all that do not take minutes each."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    abandoned_sockets,
    append,
    bad_answers,
    big_pages,
    claims,
    deaf_clients,
    event_to_paint,
    fan_out,
    fifty_at_once,
    first_paint,
    growth,
    idle_processes,
    idle_sockets,
    layers,
    lost_events,
    many_cards,
    overhead,
    reload,
    replay,
    servers,
    start_up,
)
from benchmarks.noise import noise
from benchmarks.process import allow_many_files
from benchmarks.report import Report, written_into

FIGURES: dict[str, Callable[[bool], Report]] = {
    "overhead": overhead.measure,
    "fifty_at_once": fifty_at_once.measure,
    "fan_out": fan_out.measure,
    "replay": replay.measure,
    "append": append.measure,
    "reload": reload.measure,
    "big_pages": big_pages.measure,
    "claims": claims.measure,
    "idle_processes": idle_processes.measure,
    "idle_sockets": idle_sockets.measure,
    "bad_answers": bad_answers.measure,
    "first_paint": first_paint.measure,
    "event_to_paint": event_to_paint.measure,
    "start_up": start_up.measure,
}
LONG: dict[str, Callable[[bool], Report]] = {
    "lost_events": lost_events.measure,
    "abandoned_sockets": abandoned_sockets.measure,
    "deaf_clients": deaf_clients.measure,
    "many_cards": many_cards.measure,
}
"""What breaks, leaks or clogs shows only after minutes: with --long or by name."""

STUDIES: dict[str, Callable[[bool], Report]] = {
    "servers": servers.measure,
    "layers": layers.measure,
    "growth": growth.measure,
}
"""What helps to decide and has no goal: only by name."""

ALL = FIGURES | LONG | STUDIES


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ALL)}")
    parser.add_argument("--long", action="store_true", help="those that take minutes each")
    parser.add_argument("--quick", action="store_true", help="small: to see that it runs")
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="replace its sections there, and the tables in docs/",
    )
    parser.add_argument(
        "--noise",
        type=int,
        default=0,
        metavar="N",
        help="N other processes compute all the while; the tables in docs/ are left as they are",
    )
    options = parser.parse_args()
    unknown = set(options.names) - ALL.keys()
    if unknown:
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    # a signal to us must not leave servers behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    allow_many_files()
    # a collection in the load generator would count as latency of the server
    gc.disable()
    names = options.names or list(LONG if options.long else FIGURES)
    began = time.monotonic()
    with noise(options.noise):
        for name in names:
            tell(name, quick=options.quick, noisy=options.noise, results=options.write)
            gc.collect()
    if len(names) > 1:
        print(f"{len(names)} figures in {(time.monotonic() - began) / 60:.1f} minutes.")
    return 0


def tell(name: str, *, quick: bool, noisy: int, results: Path | None) -> None:
    """Measure and print; what is quick or noisy is written to `results` alone, not to pages."""
    began = time.monotonic()
    report = ALL[name](quick)
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
