"""Texts and flags of a task's card; static/studio/js/card/card-view.js is the twin.

The server renders cards with it, the scripts update them with the twin: both must agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from math import floor, gcd

from django.utils.dateformat import format as format_date
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from generation.choice_labels import label, position_label
from generation.choices import TERMINAL, QueueReason, Step, TaskStatus
from generation.protocol import QueuePosition, StepSpan, TaskData, TaskState

SLOW_FACTOR = 2
SLOW_SECONDS = 1.5
FRESH_SECONDS = 4
QUEUE_BLOCKS = 8
"""Most blocks that are drawn for a queue position."""
MINUTES_FROM = 90
"""Seconds from which an estimate is given in minutes."""


@dataclass(frozen=True)
class CardView:
    """One card: texts in the active language, flags, and the times of the seven steps."""

    layout: str
    live: bool
    stopping: str | None
    overdue: bool
    fresh: bool
    percent: int
    basis: str
    value: str
    headline: str
    remaining: str
    is_estimate: bool
    """Whether `remaining` is an estimate."""
    note_lead: str
    note: str
    can_cancel: bool
    can_retry: bool
    blocks: str
    """One space per block that is drawn for the queue position, for a template loop."""
    current: str
    times: list[str]
    meta: list[str]
    sent: str
    shape: str


def card_view(
    task: TaskData, state: TaskState, place: QueuePosition | None, *, now: float
) -> CardView:
    """`now` in Unix seconds."""
    status = state["status"]
    terminal, queued = status in TERMINAL, status == TaskStatus.QUEUED
    slow = slow_span(task, state, now)
    remaining, is_estimate = remaining_text(state, place)
    lead, note = note_of(task, state, slow, now)
    percent = floor(state["progress"])
    basis, step = words("basis", state["basis"]), words("step", state["step"])
    return CardView(
        layout="ended" if terminal else "queued" if queued else "live",
        live=not terminal,
        stopping=None if terminal else state["cancel_requested"],
        overdue=slow is not None,
        fresh=now - (state["updated_at"] or 0) < FRESH_SECONDS,
        percent=percent,
        basis=basis,
        value=_("%(percent)s%%, %(basis)s, %(step)s")
        % {"percent": percent, "basis": basis, "step": step},
        headline=headline_of(task, state, place),
        remaining=remaining,
        is_estimate=is_estimate,
        note_lead=lead,
        note=note,
        can_cancel=not terminal and not state["cancel_requested"],
        can_retry=status in (TaskStatus.FAILED, TaskStatus.CANCELLED),
        blocks="".rjust(blocks_of(state, place)),
        current=Step.PARSING.value if queued else state["step"],
        times=[step_time(task, state, Step(each), now) for each in Step.values],
        meta=meta_of(task, state),
        sent=_("sent %(time)s") % {"time": time_of_day(task["created"])},
        shape=shape_of(task),
    )


def blocks_of(state: TaskState, place: QueuePosition | None) -> int:
    in_queue = state["status"] == TaskStatus.QUEUED and not state["cancel_requested"]
    return min(place["position"], QUEUE_BLOCKS) if in_queue and place else 0


def slow_span(task: TaskData, state: TaskState, now: float) -> StepSpan | None:
    """The running step if it already lasts much longer than usual."""
    span = state["timeline"][-1] if state["timeline"] else None
    if state["status"] in TERMINAL or state["waiting"] or span is None or span["ended"] is not None:
        return None
    usual = task["expected"].get(span["step"])
    if usual is None or now - span["began"] <= max(usual * SLOW_FACTOR, usual + SLOW_SECONDS):
        return None
    return span


# --- sentences ----------------------------------------------------------------------------------


def headline_of(task: TaskData, state: TaskState, place: QueuePosition | None) -> str:
    status = state["status"]
    if status == TaskStatus.COMPLETED:
        return done_text(state)
    if status == TaskStatus.FAILED:
        step = (state["error"] or state)["step"]
        return _("Failed at step %(n)s") % {"n": Step.values.index(step) + 1}
    if status == TaskStatus.CANCELLED:
        return cancelled_text(state)
    if state["cancel_requested"]:
        return stopping_text(state["cancel_requested"])
    if status == TaskStatus.QUEUED:
        if place:
            return position_label(place["position"])
        return (
            _("Back in the queue") if state["interruptions"] else pgettext("task status", "Queued")
        )
    if place:
        return _("Interrupted; waiting for a worker")
    if state["waiting"]:
        return words("reason", state["waiting"]["reason"])
    return running_text(task, state)


def done_text(state: TaskState) -> str:
    waited, drew = state["wait_seconds"], state["run_seconds"]
    return joined(
        _("Done"),
        waited is not None and _("waited %(n)s s") % {"n": number(waited, 1)},
        drew is not None and _("drawn in %(n)s s") % {"n": number(drew, 1)},
    )


def cancelled_text(state: TaskState) -> str:
    if state["claimed_at"] is None:
        return _("Cancelled while queued")
    if state["step"] == Step.GENERATING and state["total"] is not None:
        counts = {"k": state["done"] or 0, "total": state["total"]}
        return _("Cancelled at step %(k)s of %(total)s") % counts
    return _("Cancelled · %(step)s") % {"step": words("step", state["step"])}


def stopping_text(stops: str) -> str:
    if stops == "step":
        return _("Stopping: the GPU stops when this step ends")
    if stops == "picture":
        return _("Stopping: the GPU finishes this picture first")
    return _("Stopping: waiting for the worker to finish")


def running_text(task: TaskData, state: TaskState) -> str:
    n, image = task["n"], state["image"]
    counts = {"k": state["done"] or 0, "total": state["total"]}
    measured = state["step"] == Step.GENERATING and state["total"] is not None
    return joined(
        n > 1 and image > 0 and _("Picture %(i)s of %(n)s") % {"i": image, "n": n},
        _("step %(k)s of %(total)s") % counts if measured else words("step", state["step"]),
    )


def remaining_text(state: TaskState, place: QueuePosition | None) -> tuple[str, bool]:
    """(sentence, whether it is an estimate)."""
    status, left, stops = state["status"], state["eta_seconds"], state["cancel_requested"]
    if status in TERMINAL:
        return "", False
    if state["waiting"]:
        until = time_of_day(state["waiting"]["until"])
        return _("tries again at %(time)s") % {"time": until}, False
    if status == TaskStatus.QUEUED:
        return starts_text(None if stops else place)
    if place or left is None or stops == "step":
        return "", False
    unit, n = about(left)
    return (_("about %(n)s min left") if unit == "min" else _("about %(n)s s left")) % {
        "n": n
    }, True


def starts_text(place: QueuePosition | None) -> tuple[str, bool]:
    if place is None:
        return "", False
    if place["reason"] and place["reason"] != QueueReason.IN_LINE:
        return words("reason", place["reason"]), False
    if place["eta_seconds"] is None:
        return "", False
    unit, n = about(place["eta_seconds"])
    sentence = _("starts in about %(n)s min") if unit == "min" else _("starts in about %(n)s s")
    return sentence % {"n": n}, True


def note_of(task: TaskData, state: TaskState, slow: StepSpan | None, now: float) -> tuple[str, str]:
    """(beginning, rest) of the note; two empty strings if there is none."""
    error, status = state["error"], state["status"]
    last = state["interruptions"][-1] if state["interruptions"] else None
    if error:
        return words("step", error["step"]), words("error", error["code"], error["message"])
    if last and status == TaskStatus.COMPLETED:
        drawn = _("drawn in attempt %(n)s") % {"n": state["attempt"]}
        return words("interruption", last["reason"]), drawn
    if status in TERMINAL:
        return "", ""
    if slow:
        usual = duration(task["expected"][slow["step"]])
        values = {"elapsed": elapsed(now - slow["began"]), "usual": usual}
        sentence = _("%(elapsed)s so far, usually %(usual)s; still working") % values
        return words("step", slow["step"]), sentence
    return (words("interruption", last["reason"]), again_text(task, state)) if last else ("", "")


def again_text(task: TaskData, state: TaskState) -> str:
    attempt, kept = state["attempt"], len(state["images"])
    if state["status"] == TaskStatus.QUEUED:
        attempts = _("back in the queue, attempt %(n)s is next") % {"n": attempt + 1}
    else:
        attempts = _("attempt %(n)s is running") % {"n": attempt}
    pictures = _("%(k)s of %(n)s pictures kept") % {"k": kept, "n": task["n"]}
    return joined(attempts, kept > 0 and pictures)


def meta_of(task: TaskData, state: TaskState) -> list[str]:
    """Parameters of the request: size, steps, guidance and seed."""
    seed = task["seed"] if state["seed"] is None else state["seed"]
    steps = ngettext("%(n)s step", "%(n)s steps", task["steps"]) % {"n": task["steps"]}
    guidance = number(task["guidance"], 2).rstrip("0").rstrip(".")
    return [
        f"{task['width']} × {task['height']}",
        steps,
        _("guidance %(n)s") % {"n": guidance},
        *([] if seed is None else [_("seed %(n)s") % {"n": seed}]),
    ]


def shape_of(task: TaskData) -> str:
    """Shape for a picture without pixels yet: the ratio "16:9", or "272 × 304"."""
    divisor = gcd(task["width"], task["height"])
    w, h = task["width"] // divisor, task["height"] // divisor
    return f"{w}:{h}" if max(w, h) <= 21 else f"{task['width']} × {task['height']}"


def step_time(task: TaskData, state: TaskState, step: Step, now: float) -> str:
    """How long a step took, lasts so far, or usually takes; empty if unknown."""
    if step == Step.COMPLETED:
        return ""
    first, terminal = step == Step.PARSING, state["status"] in TERMINAL
    spans = [
        span
        for span in state["timeline"]
        if span["step"] == step and (first or span["attempt"] == state["attempt"])
    ]
    shown = spans if terminal else [s for s in spans if s["image"] in (0, state["image"])][-1:]
    if shown and state["status"] != TaskStatus.QUEUED:
        return spent_text(shown, now)
    usual = task["expected"].get(step)
    return "" if (first and spans) or terminal or usual is None else estimate(usual)


def spent_text(spans: list[StepSpan], now: float) -> str:
    lasting = next((span for span in spans if span["ended"] is None), None)
    if lasting:
        return elapsed(now - lasting["began"])
    seconds = sum((now if s["ended"] is None else s["ended"]) - s["began"] for s in spans)
    if seconds == 0:
        return ""
    return duration(seconds) if all(s["observed"] for s in spans) else estimate(seconds)


# --- numbers and times --------------------------------------------------------------------------


def joined(*parts: str | bool) -> str:
    return " · ".join(str(part) for part in parts if part)


def words(what: str, code: str, otherwise: str = "") -> str:
    """The words for a code; the code itself if a newer server has written it."""
    return label(what, code) or otherwise or code


def number(value: float, digits: int) -> str:
    """`value` with `digits` decimals; halves are rounded up, as in the browser."""
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def about(seconds: float) -> tuple[str, int]:
    """Rounded duration as (unit, count); the unit is "min" or "s"."""
    if seconds >= MINUTES_FROM:
        return "min", floor(seconds / 60 + 0.5)
    return "s", max(1, floor(seconds + 0.5))


def duration(seconds: float) -> str:
    """A measured duration: 0.02 s, 1.1 s, 19 s, 2 min 5 s."""
    if seconds >= 9.95:
        return elapsed(floor(seconds + 0.5))
    seconds = max(0.0, seconds)
    return _("%(n)s s") % {"n": number(seconds, 2 if seconds < 0.095 else 1)}


def elapsed(seconds: float) -> str:
    """A duration that still grows, in whole seconds."""
    whole = max(0, floor(seconds))
    if whole < 100:
        return _("%(n)s s") % {"n": whole}
    return _("%(m)s min %(s)s s") % {"m": whole // 60, "s": whole % 60}


def estimate(seconds: float) -> str:
    return _("≈ %(t)s") % {"t": duration(seconds)}


def time_of_day(at: float) -> str:
    """Time in the site's time zone, with the date unless it is today. `at`: Unix seconds."""
    moment = localtime(datetime.fromtimestamp(at, UTC))
    time = f"{moment:%H:%M:%S}"
    if moment.date() == localtime().date():
        return time
    day = format_date(moment, pgettext("date format", "M j"))
    return f"{day} {time}"
