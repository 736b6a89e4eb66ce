"""A task's time as bars on one axis: waits, steps and interruptions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Literal

from generation.choices import EventKind, InterruptReason, Step
from generation.protocol import EventFrame, Interruption, StepSpan, TaskData, TaskState
from generation.timeline.axis import MIN_AXIS_SECONDS, TimeAxis, ticks

Kind = Literal["waiting", "work", "running", "interrupted", "failed", "cancelled", "end"]

SILENT = frozenset({InterruptReason.LEASE_EXPIRED.value, InterruptReason.STALLED.value})
"""Interruptions that are detected by silence, some time after they happened."""

MIN_WEIGHT = 0.001
"""Seconds assumed for a step without an expected duration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """A call delayed at the model server's request; Unix seconds."""

    attempt: int
    reason: str
    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LogExtras:
    """What the fold drops, by attempt: its worker, its last event, its progress.

    `gaps`: Unix seconds of the events on either side of events that were not read.
    """

    workers: dict[int, str] = field(default_factory=dict)
    last_events: dict[int, float] = field(default_factory=dict)
    done: dict[int, int] = field(default_factory=dict)
    delays: list[Delay] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, in seconds since the submission.

    `step`: a step, a wait (`in_line`, `silence`, `back_in_line`, `model`), `not_shown` where
    events were not read, or the final status. `observed` False: the step passed between two
    observed boundaries, and its share is an estimate. `done`: denoising steps until the cut-off.
    """

    kind: Kind
    step: str
    begins: float
    ends: float
    attempt: int = 0
    image: int = 0
    observed: bool = True
    reason: str = ""
    worker: str = ""
    done: int | None = None

    @property
    def seconds(self) -> float:
        return self.ends - self.begins


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the summary: a wait, or one attempt up to its last event.

    `shown` False: its events were not read.
    """

    kind: Kind
    begins: float
    ends: float
    attempt: int = 0
    shown: bool = True

    @property
    def seconds(self) -> float:
        return self.ends - self.begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """`total`: seconds from the submission to the end, or to now; the parts add up to it."""

    bars: list[Bar]
    segments: list[Segment]
    bands: list[Segment]
    ticks: list[float]
    total: float
    goes_on: bool

    @property
    def span(self) -> float:
        return max(self.total, MIN_AXIS_SECONDS)


def extras_of(frames: Iterable[EventFrame], *, is_pruned: bool = False) -> LogExtras:
    """`is_pruned`: between any two of these events others were deleted."""
    extras = LogExtras()
    before: EventFrame | None = None
    for frame in frames:
        kind, attempt, details = frame["kind"], frame["attempt"], frame["details"]
        if before is not None and (is_pruned or frame["seq"] > before["seq"] + 1):
            extras.gaps.append((before["timestamp"], frame["timestamp"]))
        before = frame
        if kind == EventKind.CLAIMED:
            extras.workers[attempt] = details.get("worker", "")
        elif kind == EventKind.STEP_BEGAN:
            extras.done.pop(attempt, None)
        elif kind == EventKind.PROGRESSED:
            extras.done[attempt] = details["done"]
        elif kind == EventKind.DELAYED:
            at, until = frame["timestamp"], details["until"]
            delay = Delay(attempt=attempt, reason=details["reason"], at=at, until=until)
            extras.delays.append(delay)
        if kind not in (EventKind.INTERRUPTED, EventKind.CANCEL_REQUESTED, EventKind.FAILED):
            extras.last_events[attempt] = frame["timestamp"]
    return extras


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSpan:
    """`last_event`: when its last event happened; `over`: when the task ended or was taken over."""

    number: int
    spans: list[StepSpan]
    begins: float
    last_event: float
    over: float
    interruption: Interruption | None
    kind: Kind


def build_timeline(
    state: TaskState, task: TaskData, *, now: float, extras: LogExtras | None = None
) -> Timeline:
    axis = TimeAxis(state, now)
    extras = extras or LogExtras()
    bars = [Bar("work", Step.PARSING, 0.0, 0.0)]
    segments: list[Segment] = []
    last_event = over = 0.0
    attempt_spans = list(attempts(state, extras, axis))
    for each in attempt_spans:
        hidden = is_hidden(over, each.begins, extras, axis)
        bars += waiting_bars(over, each.begins, again=each is not attempt_spans[0], hidden=hidden)
        segments.append(Segment("waiting", last_event, each.begins, shown=not hidden))
        bars += bars_of(each, state, extras, axis, task["expected"])
        segments.append(Segment(each.kind, each.begins, each.last_event, attempt=each.number))
        last_event, over = each.last_event, each.over
    if not attempt_spans or last_event < axis.total:
        hidden = is_hidden(over, axis.total, extras, axis)
        bars += waiting_bars(over, axis.total, again=bool(attempt_spans), hidden=hidden)
        segments.append(Segment("waiting", last_event, axis.total, shown=not hidden))
    if not axis.goes_on:
        bars.append(Bar("end", state["status"], axis.total, axis.total))
    return Timeline(
        bars=bars,
        segments=segments,
        bands=[segment for segment in segments if segment.kind == "interrupted"],
        ticks=list(ticks(max(axis.total, MIN_AXIS_SECONDS))),
        total=axis.total,
        goes_on=axis.goes_on,
    )


def is_hidden(begins: float, ends: float, extras: LogExtras, axis: TimeAxis) -> bool:
    """Whether events that were not read lie between two attempts."""
    spans = [(axis.since(first, 0), axis.since(last, 0)) for first, last in extras.gaps]
    return any(begins <= first and last <= ends for first, last in spans)


def waiting_bars(begins: float, ends: float, *, again: bool, hidden: bool) -> Iterator[Bar]:
    """The wait in the queue; the first one is included even if it took no time."""
    if ends > begins or not again:
        step = "not_shown" if hidden else "back_in_line" if again else "in_line"
        yield Bar("waiting", step, begins, ends)


def attempts(state: TaskState, extras: LogExtras, axis: TimeAxis) -> Iterator[AttemptSpan]:
    over = 0.0
    for number, found in groupby(state["timeline"], key=lambda span: span["attempt"]):
        spans = [span for span in found if span["step"] != Step.COMPLETED]
        if number == 0 or not spans:
            continue
        interruption = next((i for i in state["interruptions"] if i["attempt"] == number), None)
        begins = axis.since(spans[0]["began"], over)
        # an attempt whose end was not read ends with its last span
        last = number == state["timeline"][-1]["attempt"]
        ended = interruption["at"] if interruption else None if last else spans[-1]["ended"]
        over = last_event = axis.total if ended is None else axis.since(ended, begins)
        error = state["error"]
        reason = interruption["reason"] if interruption else error["code"] if error else ""
        if reason in SILENT and number in extras.last_events:
            last_event = min(over, axis.since(extras.last_events[number], begins))
        yield AttemptSpan(
            number=number,
            spans=spans,
            begins=begins,
            last_event=last_event,
            over=over,
            interruption=interruption,
            kind=ending(state, interruption) if interruption or last else "work",
        )


def ending(state: TaskState, interruption: Interruption | None) -> Kind:
    if interruption is not None:
        return "interrupted"
    kinds: dict[str, Kind] = {"completed": "work", "failed": "failed", "cancelled": "cancelled"}
    return kinds.get(state["status"], "running")


def bars_of(
    attempt: AttemptSpan,
    state: TaskState,
    extras: LogExtras,
    axis: TimeAxis,
    expected: dict[str, float],
) -> Iterator[Bar]:
    """Its steps with the delays that the model server requested, then the silence at its end."""
    steps = list(steps_of(attempt, axis, expected))
    bars = list(with_delays(steps, extras.delays, axis))
    number, last = attempt.number, bars[-1]
    bars[0] = replace(bars[0], worker=extras.workers.get(number, ""))
    error = state["error"]["code"] if state["error"] else ""
    reason = attempt.interruption["reason"] if attempt.interruption else error
    done = extras.done.get(number) if last.step == Step.GENERATING else None
    bars[-1] = replace(bars[-1], kind=attempt.kind, reason=reason, done=done)
    yield from bars
    if attempt.over > attempt.last_event:
        span = attempt.last_event, attempt.over
        yield Bar("waiting", "silence", *span, attempt=number, reason=reason)


def with_delays(bars: list[Bar], delays: list[Delay], axis: TimeAxis) -> Iterator[Bar]:
    """The bars with the delays cut out; the last bar stays, even with no length."""
    for bar in bars:
        rest = bar
        for delay in (delay for delay in delays if delay.attempt == bar.attempt):
            begins = axis.since(delay.at, rest.begins)
            ends = min(axis.since(delay.until, begins), rest.ends)
            if begins >= rest.ends or ends <= rest.begins:
                continue
            yield replace(rest, ends=begins)
            yield Bar("waiting", "model", begins, ends, attempt=bar.attempt, reason=delay.reason)
            rest = replace(rest, begins=ends)
        if rest is bar or rest.seconds > 0 or bar is bars[-1]:
            yield rest


def steps_of(attempt: AttemptSpan, axis: TimeAxis, expected: dict[str, float]) -> Iterator[Bar]:
    """One bar per step; unobserved steps share the time to the next observed boundary."""
    at = attempt.begins
    groups = list(observed_groups(attempt.spans))
    for group in groups:
        closed = group[-1]["ended"]
        until = attempt.last_event
        if group is not groups[-1] and closed is not None:
            until = min(until, axis.since(closed, at))
        weights = [expected.get(span["step"], 0.0) or MIN_WEIGHT for span in group]
        unit = (until - at) / sum(weights)
        for number, (span, weight) in enumerate(zip(group, weights, strict=True), start=1):
            ends = until if number == len(group) else min(until, at + unit * weight)
            yield Bar(
                "work",
                span["step"],
                at,
                ends,
                attempt=attempt.number,
                image=span["image"],
                observed=len(group) == 1,
            )
            at = ends


def observed_groups(spans: list[StepSpan]) -> Iterator[list[StepSpan]]:
    """Groups of spans: an observed one, with the unobserved ones after it."""
    group: list[StepSpan] = []
    for span in spans:
        if span["observed"] and group:
            yield group
            group = []
        group.append(span)
    yield group
