"""Random logs of tasks, for both sides of the wire."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from generation.choices import Basis, EventKind, InterruptReason, Step, TaskStatus
from generation.error_codes import NOT_FOR_SCRIPTS, ErrorCode
from generation.protocol import event_frame
from generation.protocol.server_messages import EventFrame
from tests.task_logs import T0, TASK

CODES = [code for code in ErrorCode if code not in NOT_FOR_SCRIPTS]

seconds = st.floats(0, 4_000, allow_nan=False).map(lambda value: round(value, 3))
counts = st.integers(1, 100)
fractions = st.floats(0, 1).map(lambda value: round(value, 4))
untils = st.integers(-86_400, 86_400).map(lambda after: T0 + after)
pictures = st.builds(
    lambda index, seed, demo, favourite, withheld: {
        "index": index,
        "url": f"/pictures/{TASK}/{index}/",
        "thumbnail_url": f"/pictures/{TASK}/{index}/thumbnail/",
        "width": 512,
        "height": 768,
        "seed": seed,
        "demo": demo,
        "favourite": favourite,
        **withheld,
    },
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
    st.booleans(),
    st.booleans(),
    st.sampled_from([{}, {"withheld": True}]),
)
spans = st.fixed_dictionaries({"wait_seconds": seconds, "run_seconds": seconds})
DETAILS: dict[EventKind, st.SearchStrategy[dict[str, Any]]] = {
    EventKind.SUBMITTED: st.just({}),
    EventKind.CLAIMED: st.just({"worker": "w1"}),
    EventKind.STEP_BEGAN: st.fixed_dictionaries(
        {"observed": st.booleans()}, optional={"seed": st.integers(0, 2**32 - 1), "steps": counts}
    ),
    EventKind.PROGRESSED: st.fixed_dictionaries(
        {"fraction": fractions, "done": counts, "total": counts}
    ),
    EventKind.IMAGE_STORED: st.fixed_dictionaries({"image": pictures, "bytes": counts}),
    EventKind.DELAYED: st.fixed_dictionaries(
        {"reason": st.sampled_from(["model_busy", "model_loading"]), "until": untils}
    ),
    EventKind.CANCEL_REQUESTED: st.fixed_dictionaries(
        {"stops": st.sampled_from(["now", "step", "picture"])},
        optional={"reason": st.just("time_limit")},
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
        timestamp=T0 + draw(seconds),
        code=draw(st.sampled_from(CODES)) if kind == EventKind.FAILED else "",
    )


@st.composite
def logs(draw: st.DrawFn) -> list[EventFrame]:
    """Events in any order at all: more than the server would ever write."""
    kinds = draw(st.lists(st.sampled_from(EventKind), max_size=25))
    return [draw(frames_of(kind, seq)) for seq, kind in enumerate(kinds, 1)]
