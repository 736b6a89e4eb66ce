"""The hub: one layer channel per process fans events out to the sockets attached to them."""

from __future__ import annotations

from generation.hub.fetched import Fetched
from generation.hub.hub import Hub, hub
from generation.hub.outbox import INTERNAL_ERROR, Box, Outbox, never
from generation.hub.places import queue_frames
from generation.hub.turns import turn_of

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
