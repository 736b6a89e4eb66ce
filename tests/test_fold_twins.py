"""The server's fold and the browser's are the same function, whatever the log says."""

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

from generation.choices import (
    Basis,
    ErrorCode,
    EventKind,
    InterruptReason,
    Step,
    TaskStatus,
)
from generation.protocol import empty_state, encode, event_frame, fold
from generation.protocol.server import EventFrame

SCRIPT = Path(__file__).parent / "js" / "fold.js"
TASK = "0b0b1c3e-6a51-4e32-9c7a-0d8b8f0a7d11"

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


seconds = st.floats(0, 4_000, allow_nan=False).map(lambda value: round(value, 3))
counts = st.integers(1, 100)
pictures = st.builds(
    lambda index, seed, demo: {
        "index": index,
        "url": f"/pictures/{TASK}/{index}/",
        "thumbnail_url": f"/pictures/{TASK}/{index}/thumbnail/",
        "width": 512,
        "height": 768,
        "seed": seed,
        "demo": demo,
    },
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
spans = st.fixed_dictionaries({"wait_seconds": seconds, "run_seconds": seconds})
DETAILS: dict[EventKind, st.SearchStrategy[dict[str, Any]]] = {
    EventKind.SUBMITTED: st.just({}),
    EventKind.CLAIMED: st.just({"worker": "w1"}),
    EventKind.STEP_BEGAN: st.fixed_dictionaries(
        {"observed": st.booleans()}, optional={"seed": st.integers(0, 2**32 - 1), "steps": counts}
    ),
    EventKind.PROGRESSED: st.fixed_dictionaries(
        {"fraction": st.floats(0, 1), "done": counts, "total": counts}
    ),
    EventKind.IMAGE_STORED: st.fixed_dictionaries({"image": pictures, "bytes": counts}),
    EventKind.DELAYED: st.fixed_dictionaries(
        {"reason": st.sampled_from(["model_busy", "model_loading"]), "until": seconds}
    ),
    EventKind.CANCEL_REQUESTED: st.fixed_dictionaries(
        {"stops": st.sampled_from(["now", "step", "picture"])}
    ),
    EventKind.INTERRUPTED: st.fixed_dictionaries(
        {
            "reason": st.sampled_from([reason.value for reason in InterruptReason]),
            "counted": st.booleans(),
            "stored": st.integers(0, 4),
        }
    ),
    EventKind.COMPLETED: spans,
    EventKind.FAILED: spans | st.just({}),
    EventKind.CANCELLED: spans,
}


@st.composite
def frames_of(draw: st.DrawFn, kind: EventKind, seq: int) -> EventFrame:
    return event_frame(
        task_id=TASK,
        seq=seq,
        kind=kind,
        status=draw(st.sampled_from(TaskStatus)),
        step=draw(st.sampled_from(Step)),
        progress=draw(st.floats(0, 100)),
        basis=draw(st.sampled_from(Basis)),
        eta_seconds=draw(st.none() | seconds),
        attempt=draw(st.integers(0, 3)),
        image=draw(st.integers(0, 4)),
        details=draw(DETAILS[kind]),
        timestamp=1_800_000_000 + draw(seconds),
        code=draw(st.sampled_from(ErrorCode)) if kind == EventKind.FAILED else "",
    )


@st.composite
def logs(draw: st.DrawFn) -> list[EventFrame]:
    """Events in any order at all: more than the server would ever write."""
    kinds = draw(st.lists(st.sampled_from(EventKind), max_size=25))
    return [draw(frames_of(kind, seq)) for seq, kind in enumerate(kinds, 1)]


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
