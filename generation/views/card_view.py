"""What a task's card shows, from the task's state alone: texts in the active language and flags.

static/studio/js/card/card-view.js is the twin. The server renders cards with `card_view`, the
scripts update them with `describe`: both must agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, gcd

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from generation.choice_labels import label, position_label
from generation.choices import TERMINAL, QueueReason, Step, TaskStatus
from generation.protocol import ImageData, QueuePosition, StepSpan, TaskData, TaskState
from generation.quantity_text import about, duration, elapsed, number, time_of_day
from generation.views.card_steps import StepView, steps_of

SLOW_FACTOR = 2
SLOW_SECONDS = 1.5
FRESH_SECONDS = 4
QUEUE_BLOCKS = 8
"""Most blocks that are drawn for a queue position."""
ALT_LENGTH = 80
"""Characters of the prompt in the text alternative of a picture."""
LARGEST_RATIO = 21
"""A ratio with larger numbers is not readable."""


@dataclass(frozen=True)
class PictureView:
    """One picture; `is_current` while it is drawn, `image` when it is stored."""

    number: int
    image: ImageData | None
    is_current: bool
    alt: str


@dataclass(frozen=True)
class CardView:
    """One card; the names are those of its parts and attributes in `studio/_card.html`."""

    layout: str
    stopping: str | None
    overdue: bool
    fresh: bool
    shape: str
    percent: int
    basis: str
    value: str
    headline: str
    blocks: range
    remaining: str
    is_estimate: bool
    """Whether `remaining` is an estimate."""
    note_lead: str
    note: str
    can_cancel: bool
    can_retry: bool
    meta: list[str]
    ratio: str
    steps: list[StepView]
    pictures: list[PictureView]


def card_view(
    task: TaskData, state: TaskState, queue: QueuePosition | None, *, now: float
) -> CardView:
    """`now` in Unix seconds."""
    status, stops = state["status"], state["cancel_requested"]
    terminal, queued = status in TERMINAL, status == TaskStatus.QUEUED
    slow = slow_span(task, state, now)
    remaining, is_estimate = remaining_text(state, queue, now)
    lead, note = note_of(task, state, slow, now)
    percent = floor(state["progress"])
    basis, step = label("basis", state["basis"]), label("step", state["step"])
    return CardView(
        layout="ended" if terminal else "queued" if queued else "live",
        stopping=None if terminal else stops,
        overdue=slow is not None,
        fresh=now - (state["updated_at"] or 0) < FRESH_SECONDS,
        shape="tall" if task["height"] > task["width"] else "wide",
        percent=percent,
        basis=basis,
        value=_("%(percent)s%%, %(basis)s, %(step)s")
        % {"percent": percent, "basis": basis, "step": step},
        headline=headline_of(task, state, queue),
        blocks=range(min(queue["position"], QUEUE_BLOCKS) if queue and queued and not stops else 0),
        remaining=remaining,
        is_estimate=is_estimate,
        note_lead=lead,
        note=note,
        can_cancel=not terminal and not stops,
        can_retry=status in (TaskStatus.FAILED, TaskStatus.CANCELLED) and task["prompt"] != "",
        meta=meta_of(task, state, now),
        ratio=ratio_of(task),
        steps=steps_of(task, state, now),
        pictures=pictures_of(task, state),
    )


def slow_span(task: TaskData, state: TaskState, now: float) -> StepSpan | None:
    """The running step if it already lasts much longer than usual."""
    span = state["timeline"][-1] if state["timeline"] else None
    if state["status"] in TERMINAL or state["waiting"] or span is None or span["ended"] is not None:
        return None
    usual = task["expected"].get(span["step"])
    if usual is None or now - span["began"] <= max(usual * SLOW_FACTOR, usual + SLOW_SECONDS):
        return None
    return span


def headline_of(task: TaskData, state: TaskState, queue: QueuePosition | None) -> str:
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
    if status == TaskStatus.QUEUED and queue:
        return position_label(queue["position"])
    if status == TaskStatus.QUEUED:
        back = state["interruptions"]
        return _("Back in the queue") if back else pgettext("task status", "Queued")
    if queue:
        return _("Interrupted; waiting for a worker")
    if state["waiting"]:
        return label("reason", state["waiting"]["reason"])
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
    return _("Cancelled · %(step)s") % {"step": label("step", state["step"])}


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
        _("step %(k)s of %(total)s") % counts if measured else label("step", state["step"]),
    )


def remaining_text(state: TaskState, queue: QueuePosition | None, now: float) -> tuple[str, bool]:
    """(sentence, whether it is an estimate)."""
    status, left, stops = state["status"], state["eta_seconds"], state["cancel_requested"]
    if status in TERMINAL:
        return "", False
    if state["waiting"]:
        until = time_of_day(state["waiting"]["until"], now)
        return _("tries again at %(time)s") % {"time": until}, False
    if status == TaskStatus.QUEUED:
        return ("", False) if stops or queue is None else starts_text(queue)
    if queue or left is None or stops == "step":
        return "", False
    return about(left, _("about %(n)s min left"), _("about %(n)s s left")), True


def starts_text(queue: QueuePosition) -> tuple[str, bool]:
    if queue["reason"] and queue["reason"] != QueueReason.IN_LINE:
        return label("reason", queue["reason"]), False
    if queue["eta_seconds"] is None:
        return "", False
    in_minutes, in_seconds = _("starts in about %(n)s min"), _("starts in about %(n)s s")
    return about(queue["eta_seconds"], in_minutes, in_seconds), True


def note_of(task: TaskData, state: TaskState, slow: StepSpan | None, now: float) -> tuple[str, str]:
    """(beginning, rest) of the note; two empty strings if there is none."""
    error, status = state["error"], state["status"]
    last = state["interruptions"][-1] if state["interruptions"] else None
    if error:
        return label("step", error["step"]), label("error", error["code"], error["message"])
    if state["cancel_reason"]:
        return _("Time limit"), _("reached; the program that submitted the task set it")
    if last and status == TaskStatus.COMPLETED:
        drawn = _("drawn in attempt %(n)s") % {"n": state["attempt"]}
        return label("interruption", last["reason"]), drawn
    if status in TERMINAL:
        return "", ""
    if slow:
        usual = duration(task["expected"][slow["step"]])
        values = {"elapsed": elapsed(now - slow["began"]), "usual": usual}
        sentence = _("%(elapsed)s so far, usually %(usual)s; still working") % values
        return label("step", slow["step"]), sentence
    if last:
        return label("interruption", last["reason"]), again_text(task, state)
    if task["cancel_after"] is None:
        return "", ""
    until = time_of_day(task["cancel_after"], now)
    return _("Time limit"), _("cancelled at %(time)s unless it is done") % {"time": until}


def again_text(task: TaskData, state: TaskState) -> str:
    attempt, kept = state["attempt"], len(state["images"])
    if state["status"] == TaskStatus.QUEUED:
        attempts = _("back in the queue, attempt %(n)s is next") % {"n": attempt + 1}
    else:
        attempts = _("attempt %(n)s is running") % {"n": attempt}
    pictures = _("%(k)s of %(n)s pictures kept") % {"k": kept, "n": task["n"]}
    return joined(attempts, kept > 0 and pictures)


def joined(*parts: str | bool) -> str:
    return " · ".join(str(part) for part in parts if part)


def meta_of(task: TaskData, state: TaskState, now: float) -> list[str]:
    """Parameters of the request, and when it was sent."""
    seed = task["seed"] if state["seed"] is None else state["seed"]
    guidance = number(task["guidance"], 2).rstrip("0").rstrip(".")
    return [
        f"{task['width']} × {task['height']}",
        ngettext("%(n)s step", "%(n)s steps", task["steps"]) % {"n": task["steps"]},
        _("guidance %(n)s") % {"n": guidance},
        *([] if seed is None else [_("seed %(n)s") % {"n": seed}]),
        _("sent %(time)s") % {"time": time_of_day(task["created"], now)},
    ]


def pictures_of(task: TaskData, state: TaskState) -> list[PictureView]:
    prompt, n = task["prompt"] or _("Prompt removed"), task["n"]
    short = prompt if len(prompt) <= ALT_LENGTH else f"{prompt[: ALT_LENGTH - 1]}…"
    sentence = _("%(prompt)s, picture %(i)s of %(n)s")
    drawn = state["image"] if state["ended_at"] is None else 0
    stored = {image["index"]: image for image in reversed(state["images"])}
    return [
        PictureView(
            number=i,
            image=stored.get(i),
            is_current=i == drawn and i not in stored,
            alt=sentence % {"prompt": short, "i": i, "n": n},
        )
        for i in range(1, n + 1)
    ]


def ratio_of(task: TaskData) -> str:
    """Label of a picture without pixels yet: "16:9", or "272 × 304"."""
    divisor = gcd(task["width"], task["height"])
    w, h = task["width"] // divisor, task["height"] // divisor
    return f"{w}:{h}" if max(w, h) <= LARGEST_RATIO else f"{task['width']} × {task['height']}"
