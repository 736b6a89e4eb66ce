"""The event log of the task page; `eventSentence` in task-timeline.js is the twin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from generation import selectors
from generation.choice_labels import label
from generation.choices import EventKind
from generation.models import GenerationTask
from generation.protocol import EventFrame
from generation.quantity_text import number


def shown_log(request: HttpRequest, task: GenerationTask, log: list[EventFrame]) -> dict[str, Any]:
    """Context of the event log: its first and newest events, or with `after` a page of it."""
    try:
        after = min(max(0, int(request.GET["after"])), task.newest_seq)
    except (KeyError, ValueError):
        return {"events": rows_of(log)}
    part = selectors.events_after(task, after)
    last = part[-1]["seq"] if part else after
    return {
        "events": rows_of(part),
        "first": after + 1,
        "last": last,
        "earlier": max(0, after - selectors.SHOWN_EVENTS) if after else None,
        "later": last if last < task.newest_seq else None,
    }


def rows_of(log: Iterable[EventFrame]) -> Iterator[dict[str, Any]]:
    """One row per event; `missing` is the number of events left out before it."""
    before = None
    for frame in log:
        yield {
            "seq": frame["seq"],
            "kind": frame["kind"],
            "sentence": event_sentence(frame),
            "timestamp": datetime.fromtimestamp(frame["timestamp"], UTC),
            "missing": 0 if before is None else frame["seq"] - before - 1,
            "before": before,
        }
        before = frame["seq"]


def event_sentence(frame: EventFrame) -> str:
    kind, details = frame["kind"], frame["details"]
    if kind == EventKind.CLAIMED:
        claim = {"worker": details.get("worker") or "–", "n": frame["attempt"]}
        return _("Claimed by %(worker)s, attempt %(n)s") % claim
    if kind == EventKind.STEP_BEGAN:
        return label("step", frame["step"])
    if kind == EventKind.PROGRESSED:
        counts = {"k": details["done"], "total": details["total"]}
        return _("step %(k)s of %(total)s") % counts
    if kind == EventKind.IMAGE_STORED:
        stored = {"i": details["image"]["index"], "size": number(details["bytes"] / 1024, 0)}
        return _("Picture %(i)s stored, %(size)s KB") % stored
    if kind == EventKind.DELAYED:
        return label("reason", details["reason"])
    if kind == EventKind.INTERRUPTED:
        return label("interruption", details["reason"])
    if kind == EventKind.CANCEL_REQUESTED and details.get("reason"):
        return _("Cancellation requested: the time limit was reached")
    if kind == EventKind.FAILED:
        return label("error", frame.get("code", ""), frame["message"])
    return label("kind", kind)
