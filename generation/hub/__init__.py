"""The hub passes events from one channel-layer channel per process to the attached clients."""

from __future__ import annotations

from generation.hub.delivery_figures import figures
from generation.hub.hub import Hub, hub
from generation.hub.outbox import Outbox
from generation.hub.queue_updates import queue_frames
from generation.hub.replay import replay_lock
from generation.hub.socket_outbox import INTERNAL_ERROR, SocketOutbox, cannot_send_now
from generation.hub.stream_outbox import StreamOutbox
from generation.hub.subscription import Subscription

__all__ = [
    "INTERNAL_ERROR",
    "Hub",
    "Outbox",
    "SocketOutbox",
    "StreamOutbox",
    "Subscription",
    "cannot_send_now",
    "figures",
    "hub",
    "queue_frames",
    "replay_lock",
]
