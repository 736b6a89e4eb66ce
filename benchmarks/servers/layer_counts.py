"""Counts of the channel layer in this process."""

from __future__ import annotations

from typing import Any

from channels.layers import get_channel_layer

from benchmarks.servers.process_counts import Figures


def layer_figures() -> Figures:
    """Counts of a Redis pub/sub layer."""
    layer: Any = get_channel_layer()
    layers = list(layer._layers.values())
    queues = [queue for layer in layers for queue in layer.channels.values()]
    return {
        "layer channels": len(queues),
        "layer groups": sum(len(layer.groups) for layer in layers),
        "messages queued in the layer": sum(queue.qsize() for queue in queues),
    }
