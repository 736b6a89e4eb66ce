"""Logs of tasks, written event by event."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from generation.choices import Basis, EventKind, InterruptReason, Step, TaskStatus
from generation.protocol import EventFrame, TaskData, TaskState, empty_state, event_frame, fold
from generation.timeline.diagnosis import Diagnosis, diagnose
from generation.timeline.spans import Timeline, build_timeline, extras_of

TASK = "0b0b1c3e-6a51-4e32-9c7a-0d8b8f0a7d11"
T0 = 1_800_000_000
USUAL = {"loading": 0.2, "preparing": 0.3, "generating": 4.0, "decoding": 0.4, "finishing": 0.1}


def task_data(**changes: Any) -> TaskData:
    return {
        "prompt": "LiuJuan",
        "negative_prompt": "",
        "model": "m",
        "width": 512,
        "height": 512,
        "n": 1,
        "steps": 9,
        "guidance": 0,
        "seed": None,
        "parent": None,
        "created": T0,
        "request_key": None,
        "cancel_after": None,
        "expected": USUAL,
        **changes,  # type: ignore[typeddict-item]
    }


@dataclass
class Log:
    """A task's log as it is written; `at` is the time of the next event."""

    n: int = 1
    expected: dict[str, float] = field(default_factory=lambda: dict(USUAL))
    at: float = T0
    attempt: int = 0
    step: Step = Step.PARSING
    image: int = 0
    status: TaskStatus = TaskStatus.QUEUED
    code: str = ""
    frames: list[EventFrame] = field(default_factory=list)

    def write(self, kind: EventKind, after: float = 0.0, **details: Any) -> Log:
        self.at += after
        self.frames.append(
            event_frame(
                task_id=TASK,
                seq=len(self.frames) + 1,
                kind=kind,
                status=self.status,
                step=self.step,
                progress=0,
                basis=Basis.MEASURED,
                eta_seconds=None,
                attempt=self.attempt,
                image=self.image,
                details=details,
                timestamp=self.at,
                code=self.code,
                ending=None,
            )
        )
        return self

    def submitted(self) -> Log:
        return self.write(EventKind.SUBMITTED)

    def claimed(self, after: float) -> Log:
        self.attempt, self.status, self.image = self.attempt + 1, TaskStatus.RUNNING, 0
        self.write(EventKind.CLAIMED, after, worker=f"worker-{self.attempt}")
        return self.begins(Step.LOADING)

    def begins(
        self, step: Step, after: float = 0.0, *, observed: bool = True, **details: Any
    ) -> Log:
        self.step = step
        return self.write(EventKind.STEP_BEGAN, after, observed=observed, **details)

    def progressed(self, after: float, done: int) -> Log:
        return self.write(EventKind.PROGRESSED, after, done=done, total=9, fraction=done / 9)

    def draws(self, *, loading: float = 0.2, generating: float = 4.0) -> Log:
        """One picture from its preparation to its file; the time of loading passes first."""
        self.image += 1
        self.begins(Step.PREPARING, loading if self.image == 1 else 0.1)
        self.begins(Step.GENERATING, 0.3)
        self.begins(Step.DECODING, generating)
        return self.begins(Step.FINISHING, 0.4)

    def interrupted(self, after: float, reason: InterruptReason, stored: int = 0) -> Log:
        self.status = TaskStatus.QUEUED
        self.write(EventKind.INTERRUPTED, after, reason=reason.value, counted=True, stored=stored)
        self.step, self.image = Step.PARSING, 0
        return self

    def ended(self, after: float, status: TaskStatus, code: str = "") -> Log:
        self.status, self.code = status, code
        self.step = Step.COMPLETED if status == TaskStatus.COMPLETED else self.step
        return self.write(EventKind(status.value), after)

    def completed(self) -> Log:
        return self.ended(0.1, TaskStatus.COMPLETED)

    @property
    def task(self) -> TaskData:
        return task_data(n=self.n, expected=self.expected)

    @property
    def state(self) -> TaskState:
        return fold(empty_state(TASK), self.frames)

    def timeline(self, later: float = 0.0) -> Timeline:
        extras = extras_of(self.frames)
        return build_timeline(self.state, self.task, now=self.at + later, extras=extras)

    def diagnose(self, later: float = 0.0) -> Diagnosis:
        return diagnose(self.timeline(later), self.task, status=self.status)
