"""Rows, parts and causes of a waterfall in the reader's language."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from generation.choices import DelayReason, InterruptReason, Step, TaskStatus
from generation.timeline.diagnosis import Cause, Verdict
from generation.timeline.spans import Part, Row

MINUTE, HOUR = 60, 3_600
ALL = 0.98
"""From this part on it is all."""


def duration(seconds: float, *, digits: int | None = None) -> str:
    """0.02 s, 39.6 s, 2 min 5 s, 1 h 5 min."""
    if seconds >= HOUR:
        minutes = round(seconds / MINUTE)
        return _("%(h)s h %(m)s min") % {"h": minutes // 60, "m": minutes % 60}
    if seconds >= 100:
        whole = round(seconds)
        return _("%(m)s min %(s)s s") % {"m": whole // 60, "s": whole % 60}
    if digits is None:
        digits = 0 if seconds < 0.005 else 2 if seconds < 0.095 else 1
    return _("%(n)s s") % {"n": number(seconds, digits)}


def number(value: float, digits: int) -> str:
    """Rounded: number_format alone cuts off."""
    return number_format(round(value, digits), digits)


def about(seconds: float, *, observed: bool) -> str:
    told = duration(seconds)
    return told if observed else _("≈ %(t)s") % {"t": told}


def tick(seconds: float, step: float) -> str:
    """In the largest unit in which every tick of the axis is a round number."""
    if step >= HOUR:
        return _("%(n)s h") % {"n": round(seconds / HOUR)}
    if step >= MINUTE:
        return _("%(n)s min") % {"n": round(seconds / MINUTE)}
    digits = 0 if step >= 1 or not seconds else 1 if step >= 0.1 else 2
    return _("%(n)s s") % {"n": number(seconds, digits)}


def part_label(part: Part, *, first: bool) -> str:
    if not part.shown:
        return _("Not shown")
    if not part.attempt:
        return pgettext("task status", "Queued") if first else _("Waiting for the next attempt")
    sentences = {
        "interrupted": _("Attempt %(n)s, interrupted"),
        "failed": _("Attempt %(n)s, failed"),
        "cancelled": _("Attempt %(n)s, cancelled"),
    }
    return sentences.get(part.kind, _("Attempt %(n)s")) % {"n": part.attempt}


def row_label(row: Row, *, numbered: bool, pictures: int) -> str:
    label = what(row)
    if row.image and pictures > 1:
        label = f"{label} {row.image}/{pictures}"
    if numbered and row.attempt:
        label = f"{_('Attempt %(n)s') % {'n': row.attempt}} · {label}"
    return label


def what(row: Row) -> str:
    """The step, or what was waited for."""
    if row.kind == "end":
        return str(Step.COMPLETED.label if row.step == "completed" else TaskStatus(row.step).label)
    if row.step == "model":
        return str(DelayReason(row.reason).label)
    waits = {
        "in_line": pgettext("task status", "Queued"),
        "back_in_line": _("Back in the queue"),
        "not_shown": _("Not shown"),
        "silence": _("No progress") if row.reason == "stalled" else _("No response"),
    }
    return waits.get(row.step) or str(Step(row.step).label)


def row_note(row: Row, *, steps: int, numbered: bool, place: int, goes_on: bool) -> str:
    """How long it took and what is known beside that; `place` 0: not in line now."""
    if row.kind == "end":
        return duration(row.ends)
    notes = [about(row.seconds, observed=row.observed)]
    if row.kind == "work" and row.step == Step.GENERATING and row.observed and row.seconds > 0:
        pace = {"n": steps, "s": duration(row.seconds / steps, digits=2)}
        notes.append(ngettext("%(n)s step × %(s)s", "%(n)s steps × %(s)s", steps) % pace)
    if place:
        notes.append(_("Position %(n)s in queue") % {"n": place})
    if row.kind == "interrupted":
        notes.append(str(InterruptReason(row.reason).label))
    elif row.kind in ("failed", "cancelled"):
        notes.append(_("failed here") if row.kind == "failed" else _("cancelled here"))
    if row.done and row.kind != "work":
        notes.append(_("step %(k)s of %(total)s") % {"k": row.done, "total": steps})
    if row.worker and numbered:
        notes.append(_("claimed by %(worker)s") % {"worker": row.worker})
    if goes_on:
        notes.append(_("in progress"))
    return " · ".join(notes)


def sentence(cause: Cause, found: Verdict, *, steps: int) -> str:
    """What one cause cost, of what."""
    cost = {"cost": duration(cause.seconds), "total": duration(found.total)}
    if cause.kind == "in_line" and cause.seconds >= ALL * found.total:
        return _("All of %(total)s was spent in the queue.") % cost
    if cause.kind == "in_line":
        return _("%(cost)s of %(total)s was spent in the queue.") % cost
    if cause.kind == "model":
        return _("The model server asked us to wait for %(cost)s of %(total)s.") % cost
    if cause.kind == "step":
        names = {
            "step": what(cause.row),
            "took": about(cause.took, observed=cause.row.observed),
            "times": number(cause.times, 1),
            "usual": duration(cause.usual),
        }
        return _("%(step)s took %(took)s, %(times)s times the usual %(usual)s.") % names
    cost["reason"] = why(cause.row, steps)
    if cause.count > 1:
        cost["n"] = str(cause.count)
        return _("%(n)s interruptions took %(cost)s of %(total)s: %(reason)s.") % cost
    cost["n"] = str(cause.row.attempt)
    return _("An interruption of attempt %(n)s took %(cost)s of %(total)s: %(reason)s.") % cost


def why(row: Row, steps: int) -> str:
    reason = str(InterruptReason(row.reason).label)
    if not row.done:
        return reason
    names = {"reason": reason, "k": row.done, "total": steps}
    return _("%(reason)s, after step %(k)s of %(total)s") % names


def conclusion(found: Verdict) -> str:
    """The verdict where no cause stands out; empty if there is none."""
    times = {"total": duration(found.total), "usual": duration(found.usual or 0.0)}
    sentences = {
        "usual": _("As fast as usual: %(total)s; a task like this takes about %(usual)s."),
        "fast": _("Faster than usual: %(total)s; a task like this takes about %(usual)s."),
        "spread": _("It took %(total)s, not the usual %(usual)s; no single step stands out."),
        "first": _(
            "No earlier task of this model was completed, so there is nothing to compare it with."
        ),
    }
    return sentences.get(found.mood, "") % times
