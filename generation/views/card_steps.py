"""The seven steps of a task's card: where the task is, and how long each step takes."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import pgettext_lazy

from generation.choices import TERMINAL, Step, TaskStatus
from generation.protocol import StepSpan, TaskData, TaskState
from generation.quantity_text import duration, elapsed, estimate

LINES = {
    Step.PARSING: pgettext_lazy("step label on two lines", "Parsing|the prompt"),
    Step.LOADING: pgettext_lazy("step label on two lines", "Loading|model weights"),
    Step.PREPARING: pgettext_lazy("step label on two lines", "Setting up|parameters"),
    Step.GENERATING: pgettext_lazy("step label on two lines", "Generating|latents"),
    Step.DECODING: pgettext_lazy("step label on two lines", "Decoding|the picture"),
    Step.FINISHING: pgettext_lazy("step label on two lines", "Finishing|the file"),
    Step.COMPLETED: pgettext_lazy("step label on two lines", "Done|& stored"),
}


@dataclass(frozen=True)
class StepView:
    """One step; the defaults are for a card without a task."""

    step: Step
    weight: float | None = None
    """Usual duration in seconds."""
    time: str = ""
    is_current: bool = False
    fill: float | None = None
    """Measured fraction, 0 to 1."""

    @property
    def lines(self) -> list[str]:
        """The label on two lines, for narrow columns."""
        return LINES[self.step].split("|")


BLANK_STEPS = [StepView(step) for step in Step]


def steps_of(task: TaskData, state: TaskState, now: float) -> list[StepView]:
    queued = state["status"] == TaskStatus.QUEUED
    # a queued task has passed only the first step
    current = Step.PARSING if queued else state["step"]
    fill = None if queued or state["step"] != Step.GENERATING else state["fraction"]
    return [
        StepView(
            step=step,
            weight=task["expected"].get(step),
            time=step_time(task, state, step, now),
            is_current=step == current,
            fill=fill if step == current else None,
        )
        for step in Step
    ]


def step_time(task: TaskData, state: TaskState, step: Step, now: float) -> str:
    """How long a step took, lasts so far, or usually takes; empty if unknown."""
    if step == Step.COMPLETED:
        return ""
    first, terminal = step == Step.PARSING, state["status"] in TERMINAL
    spans = [
        span
        for span in state["timeline"]
        if span["step"] == step and (first or span["attempt"] == state["attempt"])
    ]
    shown = spans if terminal else [s for s in spans if s["image"] in (0, state["image"])][-1:]
    if shown and state["status"] != TaskStatus.QUEUED:
        return spent_text(shown, now)
    usual = task["expected"].get(step)
    return "" if (first and spans) or terminal or usual is None else estimate(usual)


def spent_text(spans: list[StepSpan], now: float) -> str:
    lasting = next((span for span in spans if span["ended"] is None), None)
    if lasting:
        return elapsed(now - lasting["began"])
    seconds = sum((now if s["ended"] is None else s["ended"]) - s["began"] for s in spans)
    if seconds == 0:
        return ""
    return duration(seconds) if all(s["observed"] for s in spans) else estimate(seconds)
