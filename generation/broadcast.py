"""The doorbell: the only module that names a group or a channel. Every ring may be lost."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

WORKERS = "generation"
"""The named channel that wakes workers."""


def layer() -> Any:
    """The channel layer; the settings always name one."""
    return get_channel_layer()


def group_of(owner_id: int) -> str:
    return f"owner.{owner_id}"


def ring_event(*, owner_id: int, task_id: str, seq: int, frame: str) -> None:
    """Tell everyone who watches `task_id`; carries the finished frame."""
    message = {"type": "task.event", "task_id": task_id, "seq": seq, "frame": frame}
    send_to_group(owner_id, message)


def ring_new_task(*, owner_id: int, task_id: str, frame: str) -> None:
    """Tell the owner's open pages of a new task; carries the finished `task` frame."""
    message = {"type": "task.created", "owner_id": owner_id, "task_id": task_id, "frame": frame}
    send_to_group(owner_id, message)


def marker(text: str) -> dict[str, Any]:
    """The message by which a hub proves to itself that it hears a group."""
    return {"type": "hub.marker", "marker": text}


def wake_workers() -> None:
    send(WORKERS, {"type": "generation.wake"})


def send_to_group(owner_id: int, message: dict[str, Any]) -> None:
    try:
        async_to_sync(layer().group_send)(group_of(owner_id), message)
    except Exception as error:  # noqa: BLE001  whatever the layer's driver raises: the log has the truth
        logger.warning("doorbell lost for owner %s: %s", owner_id, type(error).__name__)


def send(channel: str, message: dict[str, Any]) -> None:
    try:
        async_to_sync(layer().send)(channel, message)
    except Exception as error:  # noqa: BLE001  a full or broken channel: workers look at the table every second
        logger.warning("doorbell to %s lost: %s", channel, type(error).__name__)
