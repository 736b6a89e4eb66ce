"""The words for every code, by what the code is of; pages and scripts read them here."""

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
    """{what: {code: words}} in the active language."""
    return {
        what: {code: str(words) for each in kinds for code, words in each.choices}
        for what, kinds in LABELS.items()
    }


def label(what: str, code: str) -> str:
    """The words for one code in the active language; empty for a code that does not exist."""
    for kind in LABELS[what]:
        if code in kind.values:
            return str(kind(code).label)
    return ""
