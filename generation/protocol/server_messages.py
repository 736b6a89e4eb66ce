"""Server → client frames: their shapes and their text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

from django.utils import translation

from generation.choices import Basis, EventKind, Step, TaskStatus
from generation.error_codes import ErrorCode

PROTOCOL_VERSION = 1


AppealState = Literal["", "possible", "sent", "final"]


class WithheldData(TypedDict):
    """Why a picture is withheld, for its owner.

    `state`: "held" until a reviewer approves it, or "hidden" by a reviewer, for `reason`, which is
    in the language of the reader. `appeal`: "possible", "sent", "final", or "" for a held one.
    """

    state: Literal["held", "hidden"]
    reason: str
    note: str
    appeal: AppealState


class ImageData(TypedDict):
    """One stored picture; URLs are path-absolute.

    `withheld`: its files are not served; absent if they are. `favourite` and `notice`, the reason,
    are in cards, not in frames.
    """

    index: int
    url: str
    thumbnail_url: str
    width: int
    height: int
    seed: int
    demo: bool
    withheld: NotRequired[Literal[True]]
    favourite: NotRequired[bool]
    notice: NotRequired[WithheldData]


class EndingData(TypedDict):
    """Result of a task: Unix seconds of its end, and the pictures that were stored."""

    created: int
    data: list[ImageData]


class TaskData(TypedDict):
    """The constant part of a task; `expected`: seconds per step, the last four per picture.

    `cancel_after`: Unix seconds at which it is cancelled unless it is over. The last two: when
    retention emptied the prompts, and when it shortened the log and numbered its events again.
    """

    prompt: str
    negative_prompt: str
    model: str
    width: int
    height: int
    n: int
    steps: int
    guidance: float
    seed: int | None
    parent: str | None
    created: float
    request_key: str | None
    cancel_after: float | None
    expected: dict[str, float]
    prompt_removed_at: NotRequired[float]
    log_pruned_at: NotRequired[float]


class EventFrame(TypedDict):
    """One log entry; `progress` 0 to 100, `eta_seconds` an estimate, `timestamp` Unix seconds."""

    type: Literal["progress", "result", "error", "cancelled"]
    task_id: str
    seq: int
    kind: str
    status: str
    step: str
    message: str
    progress: float
    basis: str
    eta_seconds: float | None
    attempt: int
    image: int
    details: Mapping[str, Any]
    timestamp: float
    data: NotRequired[EndingData]
    code: NotRequired[str]


class QueuePosition(TypedDict):
    """Position of a queued task, counted from 1, and the estimated wait."""

    position: int
    eta_seconds: float | None
    basis: str
    reason: str


class ModelData(TypedDict):
    """One model as the composer shows it; `wait`: of a new task of the user who reads it.

    `expected`: seconds per step of 512², 9 steps; all but `loading` per picture.
    """

    name: str
    ready: bool
    replicas: int
    reason: str
    seconds_per_step: float | None
    expected: dict[str, float] | None
    wait: QueuePosition


class AllowanceData(TypedDict):
    """One limit of a user; `renews_at`: Unix seconds, None if time alone does not renew it."""

    limit: int
    left: int
    renews_at: float | None


FRAME_TYPE: Mapping[str, Literal["progress", "result", "error", "cancelled"]] = {
    EventKind.COMPLETED: "result",
    EventKind.FAILED: "error",
    EventKind.CANCELLED: "cancelled",
}


def collection_frame(revision: int) -> dict[str, Any]:
    """Says only that something changed: a client with an older revision reads the collection."""
    return {"type": "collection", "revision": revision}


def limits_frame(limits: Mapping[str, AllowanceData]) -> dict[str, Any]:
    """What is left of the owner's limits, by kind; an absent kind is unlimited, or far away."""
    return {"type": "limits", "limits": limits}


def encode(frame: Mapping[str, Any]) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def wire_message(*, kind: str, step: str, code: str = "") -> str:
    """The Chinese sentence of an event, for programs; pages have their own texts."""
    with translation.override("zh-hans"):
        if kind == EventKind.FAILED:
            return str(ErrorCode(code).label)
        if kind in (EventKind.STEP_BEGAN, EventKind.PROGRESSED, EventKind.COMPLETED):
            return str(Step(step).label)
        if kind == EventKind.SUBMITTED:
            return str(Step.PARSING.label)
        return str(EventKind(kind).label)


def task_frame(*, task_id: str, seq: int, task: TaskData) -> dict[str, Any]:
    """First response to `attach`, and the notice of a new task; it does not move a cursor."""
    return {"type": "task", "task_id": task_id, "seq": seq, "task": task}


def ending_data(*, created: float, images: list[ImageData]) -> EndingData:
    return {"created": int(created), "data": images}


def refusal(
    code: ErrorCode,
    *,
    field: str | None = None,
    request_key: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The `error` frame for a rejected message; it has no `seq`. `data`: details."""
    with translation.override("zh-hans"):
        sentence = str(code.label)
    frame: dict[str, Any] = {"type": "error", "code": code.value, "message": sentence}
    if field is not None:
        frame["field"] = field
    if request_key is not None:
        frame["request_key"] = request_key
    if data is not None:
        frame["data"] = data
    return frame


def event_frame(
    *,
    task_id: str,
    seq: int,
    kind: EventKind,
    status: TaskStatus,
    step: Step,
    progress: float,
    basis: Basis,
    eta_seconds: float | None,
    attempt: int,
    image: int,
    details: Mapping[str, Any],
    timestamp: float,
    code: str = "",
    ending: EndingData | None = None,
) -> EventFrame:
    """The frame of one log entry, as it is stored and sent."""
    frame: EventFrame = {
        "type": FRAME_TYPE.get(kind, "progress"),
        "task_id": task_id,
        "seq": seq,
        "kind": kind.value,
        "status": status.value,
        "step": step.value,
        "message": wire_message(kind=kind, step=step, code=code),
        "progress": round(progress, 1),
        "basis": basis.value,
        "eta_seconds": None if eta_seconds is None else round(eta_seconds, 1),
        "attempt": attempt,
        "image": image,
        "details": details,
        "timestamp": round(timestamp, 3),
    }
    if ending is not None:
        frame["data"] = ending
    if code:
        frame["code"] = code
    return frame
