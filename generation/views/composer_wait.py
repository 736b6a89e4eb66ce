"""The expected wait in the composer before a task is sent; composer-wait.js is the twin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generation.choice_labels import label, position_label
from generation.choices import QueueReason
from generation.duration_prior import REFERENCE_PIXELS, REFERENCE_STEPS
from generation.protocol import ModelData
from generation.quantity_text import about, number


@dataclass(frozen=True)
class ComposerWait:
    """Texts in the active language; `tone` is a CSS modifier: ready, wait or down."""

    tone: str
    lead: str
    rest: str
    is_estimate: bool
    is_ready: bool
    state: str
    pace: str


def composer_wait(model: ModelData, work: Mapping[str, Any]) -> ComposerWait:
    """`work`: the request fields of one task."""
    ready, state, pace = model["ready"], state_text(model), pace_text(model, work)
    return ComposerWait(*wait_text(model, work), ready, state, pace)


def wait_text(model: ModelData, work: Mapping[str, Any]) -> tuple[str, str, str, bool]:
    """(tone, lead, rest, whether it is an estimate)."""
    reason, seconds = model["wait"]["reason"], model["wait"]["eta_seconds"]
    if reason != QueueReason.IN_LINE:
        rest = _("you can send now; it starts by itself")
        tone = "wait" if reason == QueueReason.PAUSED else "down"
        return tone, label("reason", reason), rest, False
    position = position_label(model["wait"]["position"])
    if seconds is None:
        return "wait", position, "", False
    if seconds > 0:
        in_minutes = _("Expected wait about %(n)s min")
        in_seconds = _("Expected wait about %(n)s s")
        return "wait", about(seconds, in_minutes, in_seconds), position, True
    rest = drawing_text(model, work)
    return "ready", _("Starts at once"), rest, rest != ""


def drawing_text(model: ModelData, work: Mapping[str, Any]) -> str:
    expected = model["expected"]
    if not expected:
        return ""
    pixels = work["width"] * work["height"] / REFERENCE_PIXELS
    drawing = expected["generating"] * work["steps"] / REFERENCE_STEPS
    picture = expected["preparing"] + pixels * (
        drawing + expected["decoding"] + expected["finishing"]
    )
    seconds = expected["loading"] + work["n"] * picture
    return about(seconds, _("about %(n)s min to draw"), _("about %(n)s s to draw"))


def state_text(model: ModelData) -> str:
    if not model["ready"]:
        return label("reason", model["reason"]) or _("not ready")
    n = model["replicas"]
    replicas = ngettext("%(n)s replica", "%(n)s replicas", n) % {"n": n}
    return " · ".join((_("Ready"), replicas))


def pace_text(model: ModelData, work: Mapping[str, Any]) -> str:
    pace = model["seconds_per_step"]
    if pace is None:
        return ""
    pace = pace * work["width"] * work["height"] / REFERENCE_PIXELS
    return _("about %(n)s s/step") % {"n": number(pace, 2 if pace < 0.995 else 1)}
