"""What the counters of this process have counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY


def counted(name: str, **labels: str) -> float:
    """The value of `liujuan_<name>`; 0 before the first one."""
    return REGISTRY.get_sample_value(f"liujuan_{name}", labels) or 0.0


@contextmanager
def counts(name: str, growth: float, **labels: str) -> Iterator[None]:
    """Fails unless the counter grows by exactly `growth`."""
    before = counted(name, **labels)
    yield
    assert counted(name, **labels) - before == growth
