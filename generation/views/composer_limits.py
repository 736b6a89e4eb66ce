"""The limits in the composer before a task is sent; composer-limits.js is the twin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generation.choices import LimitKind
from generation.protocol import AllowanceData


@dataclass(frozen=True)
class ComposerLimits:
    """The text in the active language, or empty; `reached`: the task would be refused."""

    text: str
    reached: bool


def composer_limits(limits: Mapping[str, AllowanceData], work: Mapping[str, Any]) -> ComposerLimits:
    """The limit that refuses a task, or the one that says most; `work`: its request fields."""
    for kind, needed in needs(work).items():
        found = limits.get(kind)
        if found and found["left"] < needed:
            return ComposerLimits(reached_text(kind, found), reached=True)
    return ComposerLimits(left_text(limits), reached=False)


def needs(work: Mapping[str, Any]) -> dict[LimitKind, int]:
    """What one task takes, in the order in which the server checks it."""
    effort = work["width"] * work["height"] * work["steps"] * work["n"]
    return {
        LimitKind.UNFINISHED: 1,
        LimitKind.TASK_EFFORT: effort,
        LimitKind.STORAGE: 1,
        LimitKind.PICTURES: work["n"],
        LimitKind.EFFORT: effort,
        LimitKind.SUBMISSIONS: 1,
    }


def left_text(limits: Mapping[str, AllowanceData]) -> str:
    if unfinished := limits.get(LimitKind.UNFINISHED):
        n = unfinished["left"]
        return ngettext("%(n)s more task can wait", "%(n)s more tasks can wait", n) % {"n": n}
    if pictures := limits.get(LimitKind.PICTURES):
        n = pictures["left"]
        return ngettext("%(n)s left today", "%(n)s left today", n) % {"n": n}
    if effort := limits.get(LimitKind.EFFORT):
        percent = f"{100 * effort['left'] // effort['limit']}%"
        return _("%(n)s of the drawing effort left today") % {"n": percent}
    return ""


def reached_text(kind: str, reached: AllowanceData) -> str:
    left, at = reached["left"], reached["renews_at"]
    time = "" if at is None else f"{localtime(datetime.fromtimestamp(at, UTC)):%H:%M}"
    values = {"n": reached["limit"], "left": left, "time": time}
    sentences = {
        LimitKind.PICTURES: _("Only %(left)s of %(n)s left today; back at %(time)s")
        if left
        else _("All %(n)s used today; back at %(time)s"),
        LimitKind.EFFORT: _("Not enough drawing effort left; back at %(time)s"),
        LimitKind.TASK_EFFORT: _("Too large for one task"),
        LimitKind.SUBMISSIONS: _("%(n)s tasks a minute; back at %(time)s"),
        LimitKind.STORAGE: _("Storage is full: empty the trash"),
        LimitKind.UNFINISHED: _("At most %(n)s tasks may wait"),
    }
    return sentences[LimitKind(kind)] % values
