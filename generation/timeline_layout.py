"""The timeline of a task: the numbers of selectors as texts and positions on a page."""

from __future__ import annotations

from typing import Any

from generation.choices import TaskStatus
from generation.models import GenerationTask
from generation.selectors import TaskDetail
from generation.timeline import text
from generation.timeline.spans import Bar, Segment

TRACK_PX = 560
WIDE_PX, NARROW_PX, GAP_PX = 13, 7, 20
"""Approximate widths of the axis, of a Chinese and a Latin letter, and of a note's margins."""


def verdict(detail: TaskDetail, task: GenerationTask) -> dict[str, Any]:
    """Why the task was slow, as sentences."""
    return {
        "slow": detail.diagnosis.outcome == "slow",
        "asks": detail.timeline.goes_on or detail.card["state"]["status"] == TaskStatus.COMPLETED,
        "sentences": sentences(detail, task.steps),
    }


def sentences(detail: TaskDetail, steps: int) -> list[str]:
    diagnosis = detail.diagnosis
    if diagnosis.outcome == "slow":
        return [text.sentence(cause, diagnosis, steps=steps) for cause in diagnosis.causes]
    return [conclusion] if (conclusion := text.conclusion(diagnosis)) else []


def timeline_data(detail: TaskDetail, task: GenerationTask) -> dict[str, Any]:
    """Rows, parts, bands and ticks with their positions on the axis."""
    timeline = detail.timeline
    step = timeline.ticks[1] if len(timeline.ticks) > 1 else timeline.span
    return {
        "seq": detail.card["state"]["seq"],
        "goes_on": timeline.goes_on,
        "total": text.duration(timeline.total),
        "rows": [bar_data(bar, detail, task) for bar in timeline.bars],
        "parts": [
            {
                "kind": segment.kind,
                "label": text.segment_label(segment, first=number == 0),
                "took": text.duration(segment.seconds),
                **span(segment, timeline.span),
            }
            for number, segment in enumerate(timeline.segments)
        ],
        "bands": [span(band, timeline.span) for band in timeline.bands],
        "ticks": [
            {"x": percent(at / timeline.span), "text": text.tick(at, step)} for at in timeline.ticks
        ],
    }


def bar_data(bar: Bar, detail: TaskDetail, task: GenerationTask) -> dict[str, Any]:
    timeline = detail.timeline
    numbered = sum(segment.attempt > 0 for segment in timeline.segments) > 1
    newest = timeline.goes_on and bar is timeline.bars[-1]
    queue = detail.card["queue"]
    position = queue["position"] if queue and newest and bar.kind == "waiting" else 0
    note = text.bar_note(
        bar, steps=task.steps, numbered=numbered, position=position, goes_on=newest
    )
    return {
        "kind": bar.kind,
        "observed": bar.observed,
        "label": text.bar_label(bar, numbered=numbered, pictures=task.image_count),
        "note": note,
        "side": note_side(bar, timeline.span, note),
        "began": text.duration(bar.begins),
        **span(bar, timeline.span),
    }


def span(bar: Bar | Segment, whole: float) -> dict[str, str]:
    """Positions in percent of the axis, for CSS: with a decimal point in every language."""
    return {
        "x": percent(bar.begins / whole),
        "width": percent(bar.seconds / whole),
        "end": percent(bar.ends / whole),
        "left": percent(1 - bar.ends / whole),
        "rest": percent(1 - bar.begins / whole),
    }


def note_side(bar: Bar, whole: float, note: str) -> str:
    """Side with room for the note: "after" its bar, "before" it, or "within" it."""
    letters = sum(NARROW_PX if letter < "\u2e80" else WIDE_PX for letter in note)
    need = whole * (letters + GAP_PX) / TRACK_PX
    room = {"after": whole - bar.ends, "before": bar.begins, "within": bar.seconds}
    fits = (name for name, seconds in room.items() if seconds >= need)
    return next(fits, max(room, key=lambda name: room[name]))


def percent(fraction: float) -> str:
    return f"{100 * max(0.0, min(1.0, fraction)):.2f}"
