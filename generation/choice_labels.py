"""Labels of codes, by kind of code, for pages and scripts."""

from __future__ import annotations

from django.utils.translation import gettext as _

from generation.choices import (
    Basis,
    DelayReason,
    EventKind,
    InterruptReason,
    QueueReason,
    Step,
    TaskStatus,
)
from generation.error_codes import NOT_FOR_SCRIPTS, ErrorCode
from generation.limits import NUMBERED_TASKS

LABELS = {
    "step": (Step,),
    "status": (TaskStatus,),
    "kind": (EventKind,),
    "basis": (Basis,),
    "reason": (QueueReason, DelayReason),
    "interruption": (InterruptReason,),
    "error": (ErrorCode,),
}


def labels() -> dict[str, dict[str, str]]:
    """{kind: {code: label}} of what scripts receive, in the active language."""
    return {
        what: {
            code: str(words)
            for each in kinds
            for code, words in each.choices
            if code not in NOT_FOR_SCRIPTS
        }
        for what, kinds in LABELS.items()
    }


def label(what: str, code: str, otherwise: str = "") -> str:
    """The label of one code in the active language.

    A code that a newer server has written has none: then `otherwise`, or the code itself.
    """
    for kind in LABELS[what]:
        if code in kind.values:
            return str(kind(code).label)
    return otherwise or code


def position_label(position: int) -> str:
    """The words for a position in a queue; behind the numbered tasks it is not known exactly."""
    n = position if position <= NUMBERED_TASKS else _("1,000+")
    return _("Position %(n)s in queue") % {"n": n}
