"""The hub: one layer channel per process fans events out to the sockets attached to them."""

from __future__ import annotations

from generation.hub.hub import Hub, hub
from generation.hub.outbox import INTERNAL_ERROR, Box, Outbox, never
from generation.hub.queue_updates import queue_frames
from generation.hub.replay_locks import turn_of
from generation.hub.stream_outbox import Fetched

__all__ = [
    "INTERNAL_ERROR",
    "Box",
    "Fetched",
    "Hub",
    "Outbox",
    "hub",
    "never",
    "queue_frames",
    "turn_of",
]
