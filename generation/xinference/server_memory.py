"""Memory of the model server, from the figures that it publishes at `/metrics`."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

MOST_BYTES = 2**50
"""A larger value is a mistake; columns hold less than 2**63."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerMemory:
    """Bytes, of all its machines and GPUs together; None where the server says nothing."""

    used: int | None = None
    gpu_used: int | None = None
    gpu_total: int | None = None


NAMES = {
    "xinference:worker_memory_used_bytes": "used",
    "xinference:worker_gpu_memory_used_bytes": "gpu_used",
    "xinference:worker_gpu_memory_total_bytes": "gpu_total",
}


def server_memory(text: str) -> ServerMemory:
    """Read the text format of Prometheus; nothing is known of a text in another format."""
    found: dict[str, int] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                name = NAMES.get(sample.name)
                if name and 0 <= sample.value <= MOST_BYTES:
                    found[name] = min(MOST_BYTES, found.get(name, 0) + int(sample.value))
    except (ValueError, KeyError, IndexError):
        return ServerMemory()
    return ServerMemory(**found)
