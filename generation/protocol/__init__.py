"""The wire protocol, version 1: docs/protocol.md is its specification."""

from __future__ import annotations

from generation.protocol.client import (
    MAX_TEXT_BYTES,
    Attach,
    Cancel,
    ClientMessage,
    Detach,
    Generate,
    Ping,
    Retry,
    is_unicode,
    parse_client_message,
)
from generation.protocol.fold import TaskState, apply_event, empty_state, fold
from generation.protocol.server import (
    PROTOCOL_VERSION,
    AnswerFrame,
    EndingData,
    EventFrame,
    ImageData,
    QueuePlace,
    TaskData,
    encode,
    ending_data,
    event_frame,
    refusal,
    task_frame,
    wire_message,
)

__all__ = [
    "MAX_TEXT_BYTES",
    "PROTOCOL_VERSION",
    "AnswerFrame",
    "Attach",
    "Cancel",
    "ClientMessage",
    "Detach",
    "EndingData",
    "EventFrame",
    "Generate",
    "ImageData",
    "Ping",
    "QueuePlace",
    "Retry",
    "TaskData",
    "TaskState",
    "apply_event",
    "empty_state",
    "encode",
    "ending_data",
    "event_frame",
    "fold",
    "is_unicode",
    "parse_client_message",
    "refusal",
    "task_frame",
    "wire_message",
]
