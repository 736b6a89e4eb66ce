"""A task's state as the fold of its log; its twin is static/studio/js/state/reducer.js."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict

from generation.choices import EventKind, Step, TaskStatus
from generation.protocol.server_messages import EventFrame, ImageData


class StepSpan(TypedDict):
    """One execution of a step; Unix seconds, `ended` None while it runs."""

    attempt: int
    image: int
    step: str
    began: float
    ended: float | None
    observed: bool


class Interruption(TypedDict):
    attempt: int
    reason: str
    step: str
    progress: float
    at: float


class Waiting(TypedDict):
    reason: str
    until: float


class TaskError(TypedDict):
    code: str
    step: str
    message: str


class TaskState(TypedDict):
    """Everything a page shows of a task at `seq`."""

    task_id: str
    seq: int
    status: str
    step: str
    progress: float
    basis: str
    eta_seconds: float | None
    attempt: int
    image: int
    fraction: float | None
    done: int | None
    total: int | None
    seed: int | None
    cancel_requested: str | None
    cancel_reason: str | None
    waiting: Waiting | None
    error: TaskError | None
    images: list[ImageData]
    timeline: list[StepSpan]
    interruptions: list[Interruption]
    submitted_at: float | None
    claimed_at: float | None
    ended_at: float | None
    wait_seconds: float | None
    run_seconds: float | None
    updated_at: float | None


def empty_state(task_id: str) -> TaskState:
    return {
        "task_id": task_id,
        "seq": 0,
        "status": TaskStatus.QUEUED.value,
        "step": Step.PARSING.value,
        "progress": 0,
        "basis": "measured",
        "eta_seconds": None,
        "attempt": 0,
        "image": 0,
        "fraction": None,
        "done": None,
        "total": None,
        "seed": None,
        "cancel_requested": None,
        "cancel_reason": None,
        "waiting": None,
        "error": None,
        "images": [],
        "timeline": [],
        "interruptions": [],
        "submitted_at": None,
        "claimed_at": None,
        "ended_at": None,
        "wait_seconds": None,
        "run_seconds": None,
        "updated_at": None,
    }


def fold(state: TaskState, frames: Iterable[EventFrame]) -> TaskState:
    for frame in frames:
        state = apply_event(state, frame)
    return state


def apply_event(state: TaskState, frame: EventFrame) -> TaskState:
    """The state after `frame`; a frame at or before `state["seq"]` changes nothing.

    Raises ValueError on a gap: the caller has to read the log from its cursor first.
    """
    if frame["seq"] <= state["seq"]:
        return state
    if frame["seq"] != state["seq"] + 1:
        raise ValueError(f"event {frame['seq']} after {state['seq']}")
    after: TaskState = {**state}
    APPLY[frame["kind"]](after, frame)
    after["seq"] = frame["seq"]
    after["status"] = frame["status"]
    after["step"] = frame["step"]
    after["progress"] = frame["progress"]
    after["basis"] = frame["basis"]
    after["eta_seconds"] = frame["eta_seconds"]
    after["attempt"] = frame["attempt"]
    after["image"] = frame["image"]
    after["updated_at"] = frame["timestamp"]
    return after


def fold_shown(state: TaskState, frames: Iterable[EventFrame]) -> TaskState:
    """The fold of a log with gaps; what only the missing events said is missing."""
    for frame in frames:
        if frame["seq"] > state["seq"] + 1:
            state = passed_over(state, frame)
        state = apply_event(state, frame)
    return state


def passed_over(state: TaskState, frame: EventFrame) -> TaskState:
    """The state right before `frame`, as far as it is known without the missing events.

    If the step is unchanged, its span continues. Otherwise a new span begins, not observed.
    """
    after: TaskState = {**state, "waiting": None, "seq": frame["seq"] - 1}
    newest = after["timeline"][-1] if after["timeline"] else None
    known = newest and (newest["attempt"], newest["image"], newest["step"], newest["ended"])
    same = known == (frame["attempt"], frame["image"], frame["step"], None)
    if not same:
        close_span(after, state["updated_at"] or frame["timestamp"])
        forget_measure(after)
        if frame["kind"] == EventKind.PROGRESSED:
            open_span(after, frame, frame["step"], None)
            after["timeline"][-1]["observed"] = False
    after["attempt"], after["progress"] = frame["attempt"], frame["progress"]
    return after


def close_span(state: TaskState, at: float) -> None:
    timeline = state["timeline"]
    if timeline and timeline[-1]["ended"] is None:
        state["timeline"] = [*timeline[:-1], {**timeline[-1], "ended": at}]


def open_span(state: TaskState, frame: EventFrame, step: str, ended: float | None) -> None:
    span: StepSpan = {
        "attempt": frame["attempt"],
        "image": frame["image"],
        "step": step,
        "began": frame["timestamp"],
        "ended": ended,
        "observed": frame["details"].get("observed", True),
    }
    state["timeline"] = [*state["timeline"], span]


def forget_measure(state: TaskState) -> None:
    state["fraction"] = state["done"] = state["total"] = None


def submitted(state: TaskState, frame: EventFrame) -> None:
    state["submitted_at"] = frame["timestamp"]
    open_span(state, frame, Step.PARSING.value, frame["timestamp"])


def claimed(state: TaskState, frame: EventFrame) -> None:
    if state["claimed_at"] is None:
        state["claimed_at"] = frame["timestamp"]
    state["waiting"] = None
    forget_measure(state)


def step_began(state: TaskState, frame: EventFrame) -> None:
    close_span(state, frame["timestamp"])
    open_span(state, frame, frame["step"], None)
    state["waiting"] = None
    details = frame["details"]
    if "seed" in details:
        state["seed"] = details["seed"]
    if frame["step"] == Step.GENERATING:
        state["fraction"], state["done"], state["total"] = 0.0, 0, details.get("steps")
    elif frame["step"] == Step.DECODING:
        state["fraction"], state["done"] = 1.0, state["total"]
    elif frame["step"] != Step.FINISHING:
        forget_measure(state)


def progressed(state: TaskState, frame: EventFrame) -> None:
    details = frame["details"]
    state["fraction"] = details["fraction"]
    state["done"], state["total"] = details["done"], details["total"]


def image_stored(state: TaskState, frame: EventFrame) -> None:
    state["images"] = [*state["images"], frame["details"]["image"]]


def delayed(state: TaskState, frame: EventFrame) -> None:
    state["waiting"] = {"reason": frame["details"]["reason"], "until": frame["details"]["until"]}


def cancel_requested(state: TaskState, frame: EventFrame) -> None:
    state["cancel_requested"] = frame["details"]["stops"]
    state["cancel_reason"] = frame["details"].get("reason")


def interrupted(state: TaskState, frame: EventFrame) -> None:
    close_span(state, frame["timestamp"])
    interruption: Interruption = {
        "attempt": state["attempt"],
        "reason": frame["details"]["reason"],
        "step": state["step"],
        "progress": state["progress"],
        "at": frame["timestamp"],
    }
    state["interruptions"] = [*state["interruptions"], interruption]
    state["waiting"] = None
    forget_measure(state)


def ended(state: TaskState, frame: EventFrame) -> None:
    close_span(state, frame["timestamp"])
    state["ended_at"] = frame["timestamp"]
    state["waiting"] = None
    state["wait_seconds"] = frame["details"].get("wait_seconds")
    state["run_seconds"] = frame["details"].get("run_seconds")


def completed(state: TaskState, frame: EventFrame) -> None:
    ended(state, frame)
    open_span(state, frame, Step.COMPLETED.value, frame["timestamp"])


def failed(state: TaskState, frame: EventFrame) -> None:
    ended(state, frame)
    state["error"] = {
        "code": frame["code"],
        "step": frame["step"],
        "message": frame["message"],
    }


APPLY: dict[str, Any] = {
    EventKind.SUBMITTED.value: submitted,
    EventKind.CLAIMED.value: claimed,
    EventKind.STEP_BEGAN.value: step_began,
    EventKind.PROGRESSED.value: progressed,
    EventKind.IMAGE_STORED.value: image_stored,
    EventKind.DELAYED.value: delayed,
    EventKind.CANCEL_REQUESTED.value: cancel_requested,
    EventKind.INTERRUPTED.value: interrupted,
    EventKind.COMPLETED.value: completed,
    EventKind.FAILED.value: failed,
    EventKind.CANCELLED.value: ended,
}
