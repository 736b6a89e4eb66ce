"""What a card says of a task; static/studio/js/card/card-view.js is the twin.

The first paint is made from it, the scripts repaint from theirs: both have to say the same.
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

from generation.choice_labels import label
from generation.choices import TERMINAL, QueueReason, Step, TaskStatus
from generation.protocol import QueuePosition, StepSpan, TaskData, TaskState

SLOW_FACTOR = 2
SLOW_SECONDS = 1.5
FRESH_SECONDS = 4
LINE_BLOCKS = 8
"""Blocks that are drawn for a place in line."""
MINUTES_FROM = 90
"""Seconds from which an estimate is told in minutes."""


@dataclass(frozen=True)
class CardView:
    """Texts, flags and the seven steps' times of one card, in the active language."""

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
    """Whether `remaining` is."""
    note_lead: str
    note: str
    can_cancel: bool
    can_retry: bool
    blocks: str
    """As many characters as blocks are drawn for the place in line."""
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
    in_line = state["status"] == TaskStatus.QUEUED and not state["cancel_requested"]
    return min(place["position"], LINE_BLOCKS) if in_line and place else 0


def slow_span(task: TaskData, state: TaskState, now: float) -> StepSpan | None:
    """The step that lasts much longer than usual, while it does."""
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
            return _("Position %(n)s in queue") % {"n": place["position"]}
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
    """The sentence, and whether it is an estimate."""
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
    said = _("starts in about %(n)s min") if unit == "min" else _("starts in about %(n)s s")
    return said % {"n": n}, True


def note_of(task: TaskData, state: TaskState, slow: StepSpan | None, now: float) -> tuple[str, str]:
    """What the note begins with, and the rest of it; two empty texts without one."""
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
        said = _("%(elapsed)s so far, usually %(usual)s; still working") % values
        return words("step", slow["step"]), said
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
    """What was asked for, but for when."""
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
    """The shape of the picture, while nothing of it exists: 16:9, or 272 × 304."""
    divisor = gcd(task["width"], task["height"])
    w, h = task["width"] // divisor, task["height"] // divisor
    return f"{w}:{h}" if max(w, h) <= 21 else f"{task['width']} × {task['height']}"


def step_time(task: TaskData, state: TaskState, step: Step, now: float) -> str:
    """How long a step took, lasts so far, or usually takes; empty where nothing is known."""
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
    """Halves are rounded up, as the browser does."""
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def about(seconds: float) -> tuple[str, int]:
    """("min" or "s", how many)."""
    if seconds >= MINUTES_FROM:
        return "min", floor(seconds / 60 + 0.5)
    return "s", max(1, floor(seconds + 0.5))


def duration(seconds: float) -> str:
    """A measured one: 0.02 s, 1.1 s, 19 s, 2 min 5 s."""
    if seconds >= 9.95:
        return elapsed(floor(seconds + 0.5))
    told = max(0.0, seconds)
    return _("%(n)s s") % {"n": number(told, 2 if told < 0.095 else 1)}


def elapsed(seconds: float) -> str:
    """A ticking one, in whole seconds."""
    whole = max(0, floor(seconds))
    if whole < 100:
        return _("%(n)s s") % {"n": whole}
    return _("%(m)s min %(s)s s") % {"m": whole // 60, "s": whole % 60}


def estimate(seconds: float) -> str:
    return _("≈ %(t)s") % {"t": duration(seconds)}


def time_of_day(at: float) -> str:
    """In the site's time zone, with the date when it was not today."""
    moment = localtime(datetime.fromtimestamp(at, UTC))
    time = f"{moment:%H:%M:%S}"
    if moment.date() == localtime().date():
        return time
    day = format_date(moment, pgettext("date format", "M j"))
    return f"{day} {time}"
