"""The folds of server and browser agree on every log."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.protocol import empty_state, encode, fold
from generation.protocol.server_messages import EventFrame
from tests.random_logs import logs
from tests.task_logs import TASK

SCRIPT = Path(__file__).parent / "js" / "fold.js"

JsFold = Callable[[list[EventFrame]], Any]


@pytest.fixture(scope="module")
def js_fold() -> Iterator[JsFold]:
    """The browser's fold, in a Node process that stays."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    with subprocess.Popen(
        [node, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answered = process.stdin, process.stdout

        def js_fold(frames: list[EventFrame]) -> Any:
            asked.write(encode({"task_id": TASK, "frames": frames}) + "\n")
            asked.flush()
            return json.loads(answered.readline())

        yield js_fold
        asked.close()


def py_fold(frames: list[EventFrame]) -> Any:
    """As the page gets it: through JSON."""
    return json.loads(encode(fold(empty_state(TASK), frames)))


@given(frames=logs())
@settings(max_examples=300, deadline=None)
def test_both_folds_agree_on_every_log(js_fold: JsFold, frames: list[EventFrame]) -> None:
    ours, theirs = py_fold(frames), js_fold(frames)

    assert theirs == ours
    assert list(theirs) == list(ours)


@given(frames=logs(), data=st.data())
@settings(max_examples=50, deadline=None)
def test_both_folds_pass_over_what_they_have_seen(
    js_fold: JsFold, frames: list[EventFrame], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(frames)))
    again = [*frames[:cut], *frames]

    assert js_fold(again) == py_fold(again) == py_fold(frames)


@given(frames=logs().filter(lambda frames: len(frames) > 1), data=st.data())
@settings(max_examples=50, deadline=None)
def test_both_folds_refuse_a_log_with_a_hole(
    js_fold: JsFold, frames: list[EventFrame], data: st.DataObject
) -> None:
    lost = data.draw(st.integers(0, len(frames) - 2))
    torn = [*frames[:lost], *frames[lost + 1 :]]

    assert js_fold(torn) == "gap"
    with pytest.raises(ValueError, match="event"):
        py_fold(torn)
