"""Bars, parts and causes of a timeline as text in the active language."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from generation.choice_labels import position_label
from generation.choices import DelayReason, InterruptReason, Step, TaskStatus
from generation.quantity_text import elapsed, number
from generation.timeline.diagnosis import Cause, Diagnosis
from generation.timeline.spans import Bar, Segment

MINUTE, HOUR = 60, 3_600
ALL = 0.98
"""From this part on, almost the whole."""


def duration(seconds: float, *, digits: int | None = None) -> str:
    """0.02 s, 39.6 s, 2 min 5 s, 1 h 5 min."""
    if seconds >= HOUR:
        minutes = round(seconds / MINUTE)
        return _("%(h)s h %(m)s min") % {"h": minutes // 60, "m": minutes % 60}
    if seconds >= 100:
        return elapsed(round(seconds))
    if digits is None:
        digits = 0 if seconds < 0.005 else 2 if seconds < 0.095 else 1
    return _("%(n)s s") % {"n": number(seconds, digits)}


def about(seconds: float, *, observed: bool) -> str:
    text = duration(seconds)
    return text if observed else _("≈ %(t)s") % {"t": text}


def tick(seconds: float, step: float) -> str:
    """In the largest unit in which every tick of the axis is a round number."""
    if step >= HOUR:
        return _("%(n)s h") % {"n": round(seconds / HOUR)}
    if step >= MINUTE:
        return _("%(n)s min") % {"n": round(seconds / MINUTE)}
    digits = 0 if step >= 1 or not seconds else 1 if step >= 0.1 else 2
    return _("%(n)s s") % {"n": number(seconds, digits)}


def segment_label(segment: Segment, *, first: bool) -> str:
    if not segment.shown:
        return _("Not shown")
    if not segment.attempt:
        return pgettext("task status", "Queued") if first else _("Waiting for the next attempt")
    sentences = {
        "interrupted": _("Attempt %(n)s, interrupted"),
        "failed": _("Attempt %(n)s, failed"),
        "cancelled": _("Attempt %(n)s, cancelled"),
    }
    return sentences.get(segment.kind, _("Attempt %(n)s")) % {"n": segment.attempt}


def bar_label(bar: Bar, *, numbered: bool, pictures: int) -> str:
    label = what(bar)
    if bar.image and pictures > 1:
        label = f"{label} {bar.image}/{pictures}"
    if numbered and bar.attempt:
        label = f"{_('Attempt %(n)s') % {'n': bar.attempt}} · {label}"
    return label


def what(bar: Bar) -> str:
    """Name of the step or of the wait."""
    if bar.kind == "end":
        return str(Step.COMPLETED.label if bar.step == "completed" else TaskStatus(bar.step).label)
    if bar.step == "model":
        return str(DelayReason(bar.reason).label)
    waits = {
        "in_line": pgettext("task status", "Queued"),
        "back_in_line": _("Back in the queue"),
        "not_shown": _("Not shown"),
        "silence": _("No progress") if bar.reason == "stalled" else _("No response"),
    }
    return waits.get(bar.step) or str(Step(bar.step).label)


def bar_note(bar: Bar, *, steps: int, numbered: bool, position: int, goes_on: bool) -> str:
    """Duration and further facts of a bar; `position` 0: not in the queue."""
    if bar.kind == "end":
        return duration(bar.ends)
    notes = [about(bar.seconds, observed=bar.observed)]
    if bar.kind == "work" and bar.step == Step.GENERATING and bar.observed and bar.seconds > 0:
        pace = {"n": steps, "s": duration(bar.seconds / steps, digits=2)}
        notes.append(ngettext("%(n)s step × %(s)s", "%(n)s steps × %(s)s", steps) % pace)
    if position:
        notes.append(position_label(position))
    if bar.kind == "interrupted":
        notes.append(str(InterruptReason(bar.reason).label))
    elif bar.kind in ("failed", "cancelled"):
        notes.append(_("failed here") if bar.kind == "failed" else _("cancelled here"))
    if bar.done and bar.kind != "work":
        notes.append(_("step %(k)s of %(total)s") % {"k": bar.done, "total": steps})
    if bar.worker and numbered:
        notes.append(_("claimed by %(worker)s") % {"worker": bar.worker})
    if goes_on:
        notes.append(_("in progress"))
    return " · ".join(notes)


def sentence(cause: Cause, found: Diagnosis, *, steps: int) -> str:
    """Time lost by one cause, of the total."""
    cost = {"cost": duration(cause.seconds), "total": duration(found.total)}
    if cause.kind == "in_line" and cause.seconds >= ALL * found.total:
        return _("Almost all of %(total)s was spent in the queue.") % cost
    if cause.kind == "in_line":
        return _("%(cost)s of %(total)s was spent in the queue.") % cost
    if cause.kind == "model":
        return _("The model server asked us to wait for %(cost)s of %(total)s.") % cost
    if cause.kind == "step":
        names = {
            "step": what(cause.bar),
            "took": about(cause.took, observed=cause.bar.observed),
            "times": number(cause.times, 1),
            "usual": duration(cause.usual),
        }
        return _("%(step)s took %(took)s, %(times)s times the usual %(usual)s.") % names
    cost["reason"] = why(cause.bar, steps)
    if cause.count > 1:
        cost["n"] = str(cause.count)
        return _("%(n)s interruptions took %(cost)s of %(total)s: %(reason)s.") % cost
    cost["n"] = str(cause.bar.attempt)
    return _("An interruption of attempt %(n)s took %(cost)s of %(total)s: %(reason)s.") % cost


def why(bar: Bar, steps: int) -> str:
    reason = str(InterruptReason(bar.reason).label)
    if not bar.done:
        return reason
    names = {"reason": reason, "k": bar.done, "total": steps}
    return _("%(reason)s, after step %(k)s of %(total)s") % names


def conclusion(found: Diagnosis) -> str:
    """The conclusion for a task without a dominant cause; may be empty."""
    times = {"total": duration(found.total), "usual": duration(found.usual or 0.0)}
    sentences = {
        "usual": _("As fast as usual: %(total)s; a task like this takes about %(usual)s."),
        "fast": _("Faster than usual: %(total)s; a task like this takes about %(usual)s."),
        "spread": _("It took %(total)s, not the usual %(usual)s; no single step stands out."),
        "first": _(
            "No earlier task of this model was completed, so there is nothing to compare it with."
        ),
    }
    return sentences.get(found.outcome, "") % times
