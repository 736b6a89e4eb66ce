"""Where the time of a task went: the numbers of selectors as words and places on the page."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generation import selectors
from generation.choices import TaskStatus
from generation.exceptions import NotFound
from generation.models import GenerationTask
from generation.selectors import Story, clock
from generation.timeline import text
from generation.timeline.spans import Part, Row

TRACK_PX = 560
WIDE_PX, NARROW_PX, GAP_PX = 13, 7, 20
"""About how wide the axis, a Chinese and a Latin letter and a note's margins are."""


@require_safe
@login_required
@never_cache
def waterfall(request: HttpRequest, task_id: uuid.UUID) -> HttpResponse:
    """What changes on the page of a task that goes on, for its script to put in place."""
    now = clock.now()
    try:
        found = selectors.visible_task(task_id, request.user)
    except NotFound as error:
        raise Http404 from error
    told = selectors.story_of(found, now=now)
    return render(request, "studio/_timeline_parts.html", story(request, found, told))


def story(request: HttpRequest, task: GenerationTask, told: Story) -> dict[str, Any]:
    """What the parts in `_timeline_parts.html` need."""
    state = told.card["state"]
    return {
        "mine": task.owner_id == request.user.pk,
        "keys": [f"{task.pk}:{image['index']}" for image in state["images"]],
        "fall": drawn(told, task),
        "verdict": {
            "slow": told.verdict.mood == "slow",
            "asks": told.fall.goes_on or state["status"] == TaskStatus.COMPLETED,
            "sentences": sentences(told, task.steps),
        },
    }


def sentences(told: Story, steps: int) -> list[str]:
    found = told.verdict
    if found.mood == "slow":
        return [text.sentence(cause, found, steps=steps) for cause in found.causes]
    return [conclusion] if (conclusion := text.conclusion(found)) else []


def drawn(told: Story, task: GenerationTask) -> dict[str, Any]:
    """Rows, parts, bands and ticks with their places on the axis."""
    fall = told.fall
    step = fall.ticks[1] if len(fall.ticks) > 1 else fall.span
    return {
        "seq": told.card["state"]["seq"],
        "goes_on": fall.goes_on,
        "total": text.duration(fall.total),
        "rows": [drawn_row(row, told, task) for row in fall.rows],
        "parts": [
            {
                "kind": part.kind,
                "label": text.part_label(part, first=place == 0),
                "took": text.duration(part.seconds),
                **span(part, fall.span),
            }
            for place, part in enumerate(fall.parts)
        ],
        "bands": [span(band, fall.span) for band in fall.bands],
        "ticks": [{"x": percent(at / fall.span), "text": text.tick(at, step)} for at in fall.ticks],
    }


def drawn_row(row: Row, told: Story, task: GenerationTask) -> dict[str, Any]:
    fall = told.fall
    numbered = sum(part.attempt > 0 for part in fall.parts) > 1
    newest = fall.goes_on and row is fall.rows[-1]
    queue = told.card["queue"]
    place = queue["position"] if queue and newest and row.kind == "waiting" else 0
    note = text.row_note(row, steps=task.steps, numbered=numbered, place=place, goes_on=newest)
    return {
        "kind": row.kind,
        "observed": row.observed,
        "label": text.row_label(row, numbered=numbered, pictures=task.n),
        "note": note,
        "side": side(row, fall.span, note),
        "began": text.duration(row.begins),
        **span(row, fall.span),
    }


def span(bar: Row | Part, whole: float) -> dict[str, str]:
    """Places in percent, written the same in every language."""
    return {
        "x": percent(bar.begins / whole),
        "width": percent(bar.seconds / whole),
        "end": percent(bar.ends / whole),
        "left": percent(1 - bar.ends / whole),
        "rest": percent(1 - bar.begins / whole),
    }


def side(row: Row, whole: float, note: str) -> str:
    """Where the note has room: after its bar, before it, or else upon it."""
    letters = sum(NARROW_PX if letter < "\u2e80" else WIDE_PX for letter in note)
    need = whole * (letters + GAP_PX) / TRACK_PX
    room = {"after": whole - row.ends, "before": row.begins, "within": row.seconds}
    fits = (name for name, seconds in room.items() if seconds >= need)
    return next(fits, max(room, key=lambda name: room[name]))


def percent(fraction: float) -> str:
    return f"{100 * max(0.0, min(1.0, fraction)):.2f}"
