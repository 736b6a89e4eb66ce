"""Memory and CPU of one idle web process and one idle worker."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.lib.process_stats import cpu_seconds, memory, open_files, threads
from benchmarks.lib.report import Report, Table
from tests.production import Production
from tests.programs import Program


def measure(quick: bool) -> Report:
    pictures, seconds = (1, 1.0) if quick else (10, 10.0)
    folder = tempfile.TemporaryDirectory(prefix="liujuan-benchmark-")
    studio = Production(Path(folder.name))
    rows = []
    try:
        studio.start()
        rows += watch(studio, "just started", seconds)
        draw(studio, pictures)
        rows += watch(studio, f"after {pictures} pictures", seconds)
    finally:
        studio.stop()
        folder.cleanup()
    columns = ("process", "RSS, MiB", "USS, MiB", "idle, % of a core", "threads", "open files")
    return Report(
        title="Idle processes",
        how=f"One web, one worker, PostgreSQL and Redis; measured for {seconds:.0f} s without "
        f"clients, before and after {pictures} pictures of 512 × 512. Once.",
        tables=[Table(columns=columns, rows=rows)],
        goals=[],
        notes=[
            "RSS counts pages that processes of one program share; USS is what one more "
            "process costs."
        ],
    )


def draw(studio: Production, pictures: int) -> None:
    with studio.connect(studio.user("alice")) as watcher:
        for _ in range(pictures):
            watcher.generate()
            assert watcher.until_type("result", "error")["type"] == "result"


def watch(studio: Production, when: str, seconds: float) -> list[list[str]]:
    programs: list[Program] = [studio.webs[0], studio.workers[0]]
    began = [cpu_seconds(program.pid) for program in programs]
    time.sleep(seconds)
    return [
        row(program, when, (cpu_seconds(program.pid) - before) / seconds)
        for program, before in zip(programs, began, strict=True)
    ]


def row(program: Program, when: str, busy: float) -> list[str]:
    pid = program.pid
    used = memory(pid)
    return [
        f"{program.name.partition('-')[0]}, {when}",
        f"{used.rss / 1024:.0f}",
        f"{used.uss / 1024:.0f}",
        f"{busy * 100:.1f}",
        str(threads(pid)),
        str(open_files(pid)),
    ]
