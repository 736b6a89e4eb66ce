"""A card has the same text before and after scripts run, in each language."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, cast

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.choices import EventKind, InterruptReason, LimitKind, QueueReason, Step
from generation.protocol import (
    EventFrame,
    ModelData,
    QueuePosition,
    TaskData,
    TaskState,
    empty_state,
    fold,
)
from generation.selectors import Card
from generation.views.composer_limits import composer_limits
from generation.views.composer_wait import composer_wait
from generation.views.embedded_tasks import embedded
from generation.views.event_log import event_sentence
from tests.card_scripts import Ask, Asking
from tests.random_logs import frames_of, logs, seconds
from tests.rendered_cards import rendered
from tests.task_logs import T0, TASK, Log, task_data

LANGUAGES = ["en", "zh-hans"]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Ask]]:
    """By language: what the browser's modules answer, each in a Node process that stays."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    with ExitStack() as stack:
        yield {
            each: stack.enter_context(Asking(node, each, tmp_path_factory)) for each in LANGUAGES
        }


queue_positions = st.none() | st.fixed_dictionaries(
    {
        "position": st.integers(1, 2_000),
        "eta_seconds": st.none() | seconds,
        "basis": st.just("estimated"),
        "reason": st.sampled_from(QueueReason.values),
    }
)
lengths = st.floats(0.01, 300).map(lambda value: round(value, 3))
sides = st.integers(16, 128).map(lambda n: n * 16)
prompts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=120)
tasks = st.fixed_dictionaries(
    {
        "prompt": prompts,
        "negative_prompt": st.sampled_from(["", "blurred"]),
        "model": st.just("m"),
        "width": sides,
        "height": sides,
        "n": st.integers(1, 4),
        "steps": st.integers(1, 100),
        "guidance": st.integers(0, 300).map(lambda tenths: tenths / 10),
        "seed": st.none() | st.integers(0, 2**32 - 1),
        "parent": st.sampled_from([None, TASK]),
        "created": st.integers(-86_400, 86_400).map(lambda after: T0 + after),
        "request_key": st.none(),
        "cancel_after": st.none() | st.integers(-600, 600).map(lambda after: T0 + after),
        "expected": st.dictionaries(st.sampled_from(Step.values[1:6]), lengths),
    }
)


@given(frames=logs(), task=tasks, queue=queue_positions, later=seconds)
@settings(max_examples=150, deadline=None)
def test_every_card_has_the_same_text(
    scripts: dict[str, Ask],
    frames: list[EventFrame],
    task: dict[str, Any],
    queue: dict[str, Any] | None,
    later: float,
) -> None:
    state = fold(empty_state(TASK), frames)
    for image in state["images"]:
        url = f"/pictures/{TASK}/{image['index']}/"
        image |= {"url": url, "thumbnail_url": f"{url}thumbnail/"}
    card = {"id": TASK, "task": task, "state": state, "queue": None}
    read = scripts["en"]({"embedded": embedded(cast("Card", card))})
    assert read == {"task": task, "state": state}
    assert_same_text(
        scripts, state, cast("TaskData", task), cast("QueuePosition", queue), T0 + later
    )


def assert_same_text(
    scripts: dict[str, Ask],
    state: TaskState,
    task: TaskData,
    queue: QueuePosition | None,
    now: float,
) -> None:
    question = {"task": task, "state": state, "queue": queue, "now": now}
    for language, ask in scripts.items():
        with translation.override(language):
            card = rendered(task, state, queue, now)
        answer = ask(question)
        assert card.as_answered(answer) == answer


@given(frames=st.sampled_from(EventKind).flatmap(lambda kind: frames_of(kind, 1)))
@settings(max_examples=150, deadline=None)
def test_every_event_has_the_same_text(scripts: dict[str, Ask], frames: EventFrame) -> None:
    for language, ask in scripts.items():
        with translation.override(language):
            assert event_sentence(frames) == ask({"frame": frames})


models = st.fixed_dictionaries(
    {
        "ready": st.booleans(),
        "replicas": st.integers(0, 4),
        "reason": st.sampled_from([*QueueReason.values, ""]),
        "seconds_per_step": st.none() | lengths,
        "expected": st.none() | st.fixed_dictionaries(dict.fromkeys(Step.values[1:6], lengths)),
        "wait": queue_positions.filter(bool),
    }
)


@given(model=models, work=tasks)
@settings(max_examples=150, deadline=None)
def test_every_forecast_has_the_same_text(
    scripts: dict[str, Ask], model: dict[str, Any], work: dict[str, Any]
) -> None:
    for language, ask in scripts.items():
        with translation.override(language):
            answer = asdict(composer_wait(cast("ModelData", model), work))
        assert answer == ask({"model": model, "work": work})


efforts = st.integers(0, 2**32)
counts = st.integers(0, 5)
kinds = {each.value: counts for each in LimitKind} | dict.fromkeys(
    ("effort", "task_effort"), efforts
)
allowances = st.fixed_dictionaries(
    {},
    optional={
        kind: st.fixed_dictionaries(
            {
                "limit": values.filter(bool),
                "left": values,
                "renews_at": st.none() | st.integers(T0, T0 + 86_400),
            }
        )
        for kind, values in kinds.items()
    },
)


@given(limits=allowances, work=tasks)
@settings(max_examples=150, deadline=None)
def test_the_limits_have_the_same_text(
    scripts: dict[str, Ask], limits: dict[str, Any], work: dict[str, Any]
) -> None:
    for language, ask in scripts.items():
        with translation.override(language):
            answer = asdict(composer_limits(limits, work))
        assert answer == ask({"limits": limits, "work": work})


TASK_OF_FOUR = task_data(n=4, height=768, guidance=3.5, expected={"generating": 30.0})


def drawing() -> Log:
    """The log of a task that draws its first picture."""
    log = Log(n=4).submitted().claimed(1)
    log.image = 1
    return log.begins(Step.GENERATING, 1, steps=9)


PICTURE = {
    "index": 1,
    "url": "/pictures/1/",
    "thumbnail_url": "/pictures/1/thumbnail/",
    "width": 512,
    "height": 512,
    "seed": 7,
    "demo": False,
}
SENTENCES: dict[str, tuple[Log, str]] = {
    "note-text": (
        drawing()
        .write(EventKind.IMAGE_STORED, 1, image=PICTURE, bytes=10)
        .interrupted(1, InterruptReason.LEASE_EXPIRED, stored=1),
        "back in the queue, attempt 2 is next · 1 of 4 pictures kept",
    ),
    "remaining": (
        drawing().write(EventKind.DELAYED, 1, reason="model_busy", until=T0 + 86_400),
        "tries again at Jan 16 08:00:00",
    ),
    "headline": (drawing(), "Picture 1 of 4 · step 0 of 9"),
}


@pytest.mark.parametrize("part", SENTENCES)
def test_the_first_paint_has_every_sentence(scripts: dict[str, Ask], part: str) -> None:
    log, sentence = SENTENCES[part]

    with translation.override("en"):
        assert rendered(TASK_OF_FOUR, log.state, None, T0 + 20).text(part) == sentence
    assert_same_text(scripts, log.state, TASK_OF_FOUR, None, T0 + 20)


@pytest.mark.parametrize(
    ("position", "language", "headline"),
    [
        (1_000, "en", "Position 1000 in queue"),
        (1_001, "en", "Position 1,000+ in queue"),
        (1_000, "zh-hans", "排队第 1000 位"),
        (1_001, "zh-hans", "排队第 1000+ 位"),
    ],
)
def test_a_position_behind_the_thousandth_has_no_number(
    scripts: dict[str, Ask], position: int, language: str, headline: str
) -> None:
    state = Log().submitted().state
    entry: QueuePosition = {
        "position": position,
        "eta_seconds": 600.0,
        "basis": "estimated",
        "reason": "in_line",
    }

    with translation.override(language):
        assert rendered(TASK_OF_FOUR, state, entry, T0 + 20).text("headline") == headline
    assert_same_text(scripts, state, TASK_OF_FOUR, entry, T0 + 20)
