"""A finished task as the spans of one trace: the task, its attempts, their steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from generation.choices import TaskStatus
from generation.protocol import TaskState
from generation.timeline.spans import Bar, Timeline

Attributes = Mapping[str, str | int | float | bool]

ROOT = "task"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSpan:
    """`key` identifies it in its trace, `parent` is the key of another; times in Unix seconds."""

    name: str
    key: str
    parent: str | None
    begins: float
    ends: float
    attributes: Attributes = field(default_factory=dict)
    error: str = ""


def trace_spans(timeline: Timeline, state: TaskState, attributes: Attributes) -> list[TraceSpan]:
    """The spans of a task that is over, parents first; `attributes` are those of the task."""
    origin = state["submitted_at"] or 0.0
    error = state["error"]["code"] if state["error"] else ""
    whole = TraceSpan(
        name=ROOT,
        key=ROOT,
        parent=None,
        begins=origin,
        ends=origin + timeline.total,
        attributes={**attributes, "liujuan.status": state["status"]},
        error=error if state["status"] == TaskStatus.FAILED else "",
    )
    bars = [bar for bar in timeline.bars if bar.kind != "end"]
    numbers = sorted({bar.attempt for bar in bars} - {0})
    attempts = [attempt_span(number, bars, origin) for number in numbers]
    return [whole, *attempts, *step_spans(bars, origin)]


def attempt_span(number: int, bars: list[Bar], origin: float) -> TraceSpan:
    own = [bar for bar in bars if bar.attempt == number]
    reason = next((bar.reason for bar in own if bar.kind in ("interrupted", "failed")), "")
    worker = next((bar.worker for bar in own if bar.worker), "")
    return TraceSpan(
        name="attempt",
        key=key_of_attempt(number),
        parent=ROOT,
        begins=origin + min(bar.begins for bar in own),
        ends=origin + max(bar.ends for bar in own),
        attributes={"liujuan.attempt": number, "liujuan.worker": worker},
        error=reason,
    )


def step_spans(bars: list[Bar], origin: float) -> Iterator[TraceSpan]:
    for number, bar in enumerate(bars):
        yield TraceSpan(
            name=bar.step,
            key=f"{number} {bar.step}",
            parent=key_of_attempt(bar.attempt) if bar.attempt else ROOT,
            begins=origin + bar.begins,
            ends=origin + bar.ends,
            attributes={"liujuan.image": bar.image, "liujuan.observed": bar.observed}
            if bar.image
            else {},
            error=bar.reason if bar.kind in ("interrupted", "failed") else "",
        )


def key_of_attempt(number: int) -> str:
    return f"attempt {number}"
