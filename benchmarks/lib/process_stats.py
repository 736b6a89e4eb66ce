"""What the kernel knows of a process."""

from __future__ import annotations

import os
import re
import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Memory:
    """KiB; `rss` counts shared pages too, `uss` only those that would be free without it."""

    rss: int
    uss: int


def memory(pid: int) -> Memory:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    sizes = {name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}
    return Memory(rss=sizes["Rss"], uss=sizes["Private_Clean"] + sizes["Private_Dirty"])


def cpu_seconds(pid: int) -> float:
    """User and system time so far."""
    # the name of the program may hold spaces; the numbers begin behind its parenthesis
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """The process and all that it started: some servers serve from a child."""
    found = [pid]
    for parent in found:
        # it may have ended since
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def allow_many_files() -> None:
    """As many open files as the system lets us have; processes that we start inherit it."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
