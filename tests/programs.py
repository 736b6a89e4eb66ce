"""The programs of an installation as processes: webs, workers and the demo's model server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.prebuilt import ROOT
from tests.studio import PATIENCE, free_port, readyz, wait_until

STARTING = 5 * PATIENCE
"""Seconds; a program that ends before fails its test at once."""


class Program:
    """One process; its output of all starts goes to `log`."""

    python = sys.executable

    def __init__(self, name: str, folder: Path, env: dict[str, str]) -> None:
        self.name = name
        self.env = env
        self.log = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def is_ready(self) -> bool:
        raise NotImplementedError

    def start(self) -> Self:
        self.launch()
        self.until_ready()
        return self

    def until_ready(self) -> None:
        """Wait longer than for anything else: a start takes seconds of a core."""
        wait_until(self.is_ready, what=f"{self.name} is ready", seconds=STARTING)

    def launch(self) -> None:
        """Start it without waiting until it is ready."""
        with self.log.open("ab") as log:
            self.log_began = log.tell()
            self.process = subprocess.Popen(
                [self.python, *self.command()], cwd=ROOT, env=self.env, stdout=log, stderr=log
            )

    def output(self) -> str:
        """What it wrote since its last start."""
        with self.log.open("rb") as log:
            log.seek(self.log_began)
            return log.read().decode(errors="replace")

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Its exit status."""
        assert self.process is not None
        return self.process.wait(seconds)

    def kill(self) -> None:
        if self.alive:
            self.signal(signal.SIGKILL)
            self.wait()

    def stop(self) -> int:
        """Terminate it and wait; its exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)


class Web(Program):
    """Daphne with the studio's application."""

    def __init__(self, name: str, folder: Path, env: dict[str, str]) -> None:
        super().__init__(name, folder, env)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [
            *("-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(self.port)),
            *("--ping-interval", "20", "--ping-timeout", "20"),
            "liujuan_site.asgi:application",
        ]

    def is_ready(self) -> bool:
        assert self.alive, f"{self.name} ended: {self.output()[-2_000:]}"
        try:
            return bool(self.readyz()["database"] == "ok")
        except OSError:
            return False

    def readyz(self) -> dict[str, Any]:
        """The body of /readyz, with any status."""
        return readyz(self.url)[1]


class RunWorker(Program):
    """`manage.py run_worker`."""

    def command(self) -> list[str]:
        return ["manage.py", "run_worker"]

    def is_ready(self) -> bool:
        assert self.alive, f"{self.name} ended: {self.output()[-2_000:]}"
        return "worker ready" in self.output()


class ModelServer(Program):
    """`python -m demo_xinference`, always on the same port."""

    def __init__(self, name: str, folder: Path, *options: str) -> None:
        super().__init__(name, folder, dict(os.environ))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.options = options

    def command(self) -> list[str]:
        return ["-m", "demo_xinference", "--port", str(self.port), *self.options]

    def is_ready(self) -> bool:
        assert self.alive, f"{self.name} ended: {self.output()[-2_000:]}"
        return "READY" in self.output()
