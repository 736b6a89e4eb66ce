"""Measure figures and print them as Markdown; without names, all of them."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    abandoned_sockets,
    append,
    big_pages,
    claims,
    deaf_clients,
    fan_out,
    fifty_at_once,
    first_paint,
    idle_processes,
    idle_sockets,
    lost_events,
    many_cards,
    overhead,
    reload,
    replay,
)
from benchmarks.process import allow_many_files
from benchmarks.report import Report, written_into

FIGURES: dict[str, Callable[[bool], Report]] = {
    "overhead": overhead.measure,
    "fifty_at_once": fifty_at_once.measure,
    "fan_out": fan_out.measure,
    "lost_events": lost_events.measure,
    "replay": replay.measure,
    "append": append.measure,
    "reload": reload.measure,
    "big_pages": big_pages.measure,
    "claims": claims.measure,
    "idle_processes": idle_processes.measure,
    "idle_sockets": idle_sockets.measure,
    "abandoned_sockets": abandoned_sockets.measure,
    "deaf_clients": deaf_clients.measure,
    "first_paint": first_paint.measure,
    "many_cards": many_cards.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FIGURES)}")
    parser.add_argument("--quick", action="store_true", help="small: to see that it runs")
    parser.add_argument("--write", type=Path, metavar="FILE", help="replace its sections there")
    options = parser.parse_args()
    unknown = set(options.names) - FIGURES.keys()
    if unknown:
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    # a signal to us must not leave servers behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    allow_many_files()
    # a collection in the load generator would count as latency of the server
    gc.disable()
    for name in options.names or FIGURES:
        section = FIGURES[name](options.quick).markdown(name, quick=options.quick)
        print(section, flush=True)
        if options.write:
            options.write.write_text(written_into(options.write, section), encoding="utf-8")
        gc.collect()
    return 0


if __name__ == "__main__":
    sys.exit(main())
