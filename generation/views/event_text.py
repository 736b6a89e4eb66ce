"""One event of the log as a sentence; `eventSentence` in task-timeline.js is the twin."""

from __future__ import annotations

from django.utils.translation import gettext as _

from generation.choices import EventKind
from generation.protocol import EventFrame
from generation.views.card_view import number, words


def event_sentence(frame: EventFrame) -> str:
    kind, details = frame["kind"], frame["details"]
    if kind == EventKind.CLAIMED:
        claim = {"worker": details.get("worker") or "–", "n": frame["attempt"]}
        return _("Claimed by %(worker)s, attempt %(n)s") % claim
    if kind == EventKind.STEP_BEGAN:
        return words("step", frame["step"])
    if kind == EventKind.PROGRESSED:
        counts = {"k": details["done"], "total": details["total"]}
        return _("step %(k)s of %(total)s") % counts
    if kind == EventKind.IMAGE_STORED:
        stored = {"i": details["image"]["index"], "size": number(details["bytes"] / 1024, 0)}
        return _("Picture %(i)s stored, %(size)s KB") % stored
    if kind == EventKind.DELAYED:
        return words("reason", details["reason"])
    if kind == EventKind.INTERRUPTED:
        return words("interruption", details["reason"])
    if kind == EventKind.FAILED:
        return words("error", frame.get("code", ""), frame["message"])
    return words("kind", kind)
