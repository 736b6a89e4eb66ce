"""A machine that others use too: a second run under it has to tell the same story."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def noise(processes: int) -> Iterator[None]:
    """So many processes count as fast as they can all the while."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _each in range(processes)
    ]
    try:
        yield
    finally:
        for each in busy:
            each.kill()
            each.wait()
