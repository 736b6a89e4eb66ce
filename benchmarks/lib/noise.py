"""Load from other processes, to check that ratios stay the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def noise(processes: int) -> Iterator[None]:
    """Keep `processes` processes busy."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _each in range(processes)
    ]
    try:
        yield
    finally:
        for each in busy:
            each.kill()
            each.wait()
