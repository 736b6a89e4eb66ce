"""What `manage.py doctor` finds out about one question."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

State = Literal["yes", "no", "skipped"]

DOCUMENT = "docs/operations.md"


class Section(StrEnum):
    """Headings of DOCUMENT."""

    FIRST_START = "First start"
    ACCOUNTS = "Accounts"
    SIZING = "Sizing"
    SETTINGS = "Settings that matter"
    FILES = "Keys and files"
    CERTIFICATES = "Certificates"
    UPGRADE = "Restart and upgrade"
    PAUSED = "Backup and restore"
    WATCH = "What to watch"
    PROXY = "Behind a proxy"
    SILENT_SOCKETS = "Where WebSocket is blocked"
    SEVERAL_SERVERS = "Several model servers"
    FAILURES = "Failures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`detail`: what was found; `hint`: what to try if the answer is no."""

    question: str
    state: State
    detail: str = ""
    hint: str = ""
    section: Section | None = None

    @property
    def see(self) -> str:
        return f'{DOCUMENT}, "{self.section}"' if self.section else ""


Question = Callable[[], Answer]


def yes(question: str, detail: str = "") -> Answer:
    return Answer(question=question, state="yes", detail=detail)


def no(question: str, detail: str, *, hint: str, see: Section) -> Answer:
    return Answer(question=question, state="no", detail=detail, hint=hint, section=see)


def skipped(question: str, why: str) -> Answer:
    return Answer(question=question, state="skipped", detail=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the installation; `ask` is called once and yields answers as they are known."""

    name: str
    ask: Callable[[], Iterable[Answer]]


def asking(*questions: Question) -> Callable[[], Iterable[Answer]]:
    return lambda: (question() for question in questions)
