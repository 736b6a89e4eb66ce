"""A demo server as a separate process, and its child processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODEL = "LiuJuan20260223Zimage"
SPEED = 10.0
"""A step of 256² takes about 20 ms then, of 448² about 60 ms."""


class DemoProcess:
    """`python -m demo_xinference` on a free port; `url` is known once it listens."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "demo_xinference", "--port", "0", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        ready = self.process.stdout.readline().split()
        assert ready[:1] == ["READY"], ready
        self.url = ready[1]

    def stop(self) -> int:
        """Terminate it; its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(20)
        finally:
            self.close()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def painters(self) -> list[int]:
        """Process ids of its painting processes."""
        return [pid for pid in children_of(self.process.pid) if is_painter(pid)]


def children_of(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found


def is_painter(pid: int) -> bool:
    try:
        return b"demo_xinference.painter" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
