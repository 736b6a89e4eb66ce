"""Labels of all codes, by kind of code, for pages and scripts."""

from __future__ import annotations

from generation.choices import (
    Basis,
    DelayReason,
    ErrorCode,
    EventKind,
    InterruptReason,
    QueueReason,
    Step,
    TaskStatus,
)

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
    """{kind: {code: label}} in the active language."""
    return {
        what: {code: str(words) for each in kinds for code, words in each.choices}
        for what, kinds in LABELS.items()
    }


def label(what: str, code: str) -> str:
    """The label of one code in the active language; empty for an unknown code."""
    for kind in LABELS[what]:
        if code in kind.values:
            return str(kind(code).label)
    return ""
