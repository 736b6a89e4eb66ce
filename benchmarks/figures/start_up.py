"""Start-up time of each program, and its cost while idle."""

from __future__ import annotations

import signal
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.lib.process_stats import cpu_seconds, memory
from benchmarks.lib.report import Report, Table, ratios, spread
from benchmarks.lib.rounds import alternating
from tests.production import Production
from tests.programs import Program, RunWorker, Web

BARE = "bare Daphne"
TIMEOUT = 60.0
POLL_EVERY = 0.005


class BareDaphne(Web):
    """Daphne with an application of a few lines."""

    def command(self) -> list[str]:
        return [*super().command()[:-1], "benchmarks.servers.hello:application"]


class Serve(Web):
    """`manage.py serve`, which `make run` starts: SQLite, worker and demo model in one process."""

    def __init__(self, name: str, folder: Path, env: dict[str, str]) -> None:
        super().__init__(name, folder, env)
        own = {"DATA_DIR": str(folder / name), "PORT": str(self.port)}
        others = {key: text for key, text in env.items() if not key.endswith("_URL")}
        self.env = others | own

    def command(self) -> list[str]:
        return ["manage.py", "serve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Seconds of each start; MiB and share of a core after the last one."""

    seconds: list[float] = field(default_factory=list)
    rss: list[float] = field(default_factory=list)
    uss: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)


def measure(quick: bool) -> Report:
    rounds, idle = (1, 0.2) if quick else (5, 8.0)
    measured: dict[str, Measured] = defaultdict(Measured)
    with site() as programs:
        first = {name: started(programs[name]) for name in programs}
        for number in range(rounds):
            stop(programs)
            for name in alternating(programs, number):
                measured[name].seconds.append(started(programs[name]))
        time.sleep(idle)
        for name, share in idle_shares(programs, idle).items():
            used = memory(programs[name].pid)
            measured[name].idle.append(share)
            measured[name].rss.append(used.rss / 1024)
            measured[name].uss.append(used.uss / 1024)
    return report(measured, first, rounds, idle)


@contextmanager
def site() -> Iterator[dict[str, Program]]:
    """Programs that are not started yet, on running and migrated stores."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="liujuan-benchmark-")))
        studio = Production(folder, webs=0, workers=0)
        ends.callback(studio.stop)
        studio.start_stores()
        studio.model.start()
        programs: dict[str, Program] = {
            BARE: BareDaphne("bare", folder, studio.env),
            "manage.py serve": Serve("serve", folder, studio.env),
            "a web": Web("web", folder, studio.env),
            "a worker": RunWorker("worker", folder, studio.env),
        }
        for program in programs.values():
            ends.callback(program.kill)
        yield programs


def started(program: Program) -> float:
    """Seconds from its start to the first 200; for a worker, until it logs that it is ready."""
    began = time.monotonic()
    program.launch()
    while not serves(program):
        assert program.alive, program.output()
        assert time.monotonic() - began < TIMEOUT, program.output()
        time.sleep(POLL_EVERY)
    return time.monotonic() - began


def serves(program: Program) -> bool:
    if not isinstance(program, Web):
        return program.is_ready()
    try:
        with urllib.request.urlopen(f"{program.url}/readyz", timeout=TIMEOUT) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def stop(programs: dict[str, Program]) -> None:
    """Stop all at once."""
    for program in programs.values():
        program.signal(signal.SIGTERM)
    for program in programs.values():
        program.wait()


def idle_shares(programs: dict[str, Program], seconds: float) -> dict[str, float]:
    began = {name: cpu_seconds(program.pid) for name, program in programs.items()}
    time.sleep(seconds)
    return {
        name: (cpu_seconds(program.pid) - began[name]) / seconds
        for name, program in programs.items()
    }


def report(
    measured: dict[str, Measured], first: dict[str, float], rounds: int, idle: float
) -> Report:
    bare = measured[BARE]
    rows = [
        [
            name,
            f"{first[name]:.2f}",
            spread(each.seconds),
            spread(ratios(each.seconds, bare.seconds), 1),
            spread(each.rss, 0),
            spread(each.uss, 0),
            f"{each.idle[0] * 100:.1f}",
        ]
        for name, each in measured.items()
    ]
    columns = (
        *("program", "first start, s", "start, s", "× bare"),
        *("RSS, MiB", "USS, MiB", "idle, % of a core"),
    )
    return Report(
        title="Start and rest",
        how="From the start of the program until its first 200, of a worker until it logs that it "
        "is ready; the first start of `serve` also creates tables, static files and an account. "
        f" {rounds} rounds after the first, all in turn: median (lowest to highest). "
        f"Then all of them run for {2 * idle:.0f} s without clients, CPU over the second half, "
        "once. Bare: Daphne with an application of a few lines.",
        tables=[Table(columns=columns, rows=rows)],
        goals=[],
    )
