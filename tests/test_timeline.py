"""The timeline of a task and its slow parts, derived from its log alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.choices import DelayReason, EventKind, InterruptReason, Step, TaskStatus
from generation.error_codes import ErrorCode
from generation.timeline.axis import ticks
from generation.timeline.spans import Bar, Segment
from tests.task_logs import Log


def bars_of(bars: list[Bar]) -> list[tuple[str, str, float]]:
    return [(bar.kind, bar.step, round(bar.seconds, 3)) for bar in bars]


def test_a_task_that_went_through_shows_every_step_once() -> None:
    timeline = Log().submitted().claimed(1.5).draws().completed().timeline()

    assert bars_of(timeline.bars) == [
        ("work", "parsing", 0.0),
        ("waiting", "in_line", 1.5),
        ("work", "loading", 0.2),
        ("work", "preparing", 0.3),
        ("work", "generating", 4.0),
        ("work", "decoding", 0.4),
        ("work", "finishing", 0.1),
        ("end", "completed", 0.0),
    ]
    assert [(segment.kind, round(segment.seconds, 3)) for segment in timeline.segments] == [
        ("waiting", 1.5),
        ("work", 5.0),
    ]
    assert not timeline.goes_on


def test_a_queued_task_waits_until_now() -> None:
    timeline = Log().submitted().timeline(later=12.0)

    assert bars_of(timeline.bars)[-1] == ("waiting", "in_line", 12.0)
    assert timeline.goes_on


def test_what_runs_has_an_open_end() -> None:
    timeline = Log().submitted().claimed(1.0).begins(Step.PREPARING, 0.5).timeline(later=2.0)

    assert bars_of(timeline.bars)[-1] == ("running", "preparing", 2.0)
    assert timeline.total == pytest.approx(3.5)


def test_silence_before_an_expired_lease_is_no_work() -> None:
    log = Log().submitted().claimed(0.0).begins(Step.PREPARING, 0.2).begins(Step.GENERATING, 0.3)
    log.progressed(1.0, done=4).interrupted(30.0, InterruptReason.LEASE_EXPIRED)

    timeline = log.claimed(0.5).draws().completed().timeline()

    broken = next(bar for bar in timeline.bars if bar.kind == "interrupted")
    assert (broken.step, broken.done, broken.worker) == ("generating", 4, "")
    assert bars_of(timeline.bars)[4:7] == [
        ("interrupted", "generating", 1.0),
        ("waiting", "silence", 30.0),
        ("waiting", "back_in_line", 0.5),
    ]
    assert [(segment.kind, round(segment.seconds, 3)) for segment in timeline.segments] == [
        ("waiting", 0.0),
        ("interrupted", 1.5),
        ("waiting", 30.5),
        ("work", 5.0),
    ]
    assert [(band.begins, round(band.ends, 3)) for band in timeline.bands] == [(0.0, 1.5)]


def test_three_attempts_and_a_failure() -> None:
    log = Log().submitted()
    for _each in range(2):
        log.claimed(0.1).begins(Step.PREPARING, 0.2).interrupted(2.0, InterruptReason.MODEL_ERROR)
    log.claimed(0.1).begins(Step.PREPARING, 0.2)

    timeline = log.ended(2.0, TaskStatus.FAILED, ErrorCode.MODEL_ERROR.value).timeline()

    kinds = ["interrupted", "interrupted", "failed"]
    assert [segment.kind for segment in timeline.segments if segment.attempt] == kinds
    assert bars_of(timeline.bars)[-2:] == [("failed", "preparing", 2.0), ("end", "failed", 0.0)]
    assert timeline.bars[-2].reason == "model_error"


def test_a_stall_that_ended_the_task_is_silence_too() -> None:
    log = Log().submitted().claimed(0.0).begins(Step.PREPARING, 0.2).begins(Step.GENERATING, 0.3)
    log.progressed(1.0, done=2)

    timeline = log.ended(120.0, TaskStatus.FAILED, ErrorCode.STALLED.value).timeline()

    assert bars_of(timeline.bars)[-3:] == [
        ("failed", "generating", 1.0),
        ("waiting", "silence", 120.0),
        ("end", "failed", 0.0),
    ]
    assert sum(segment.seconds for segment in timeline.segments) == pytest.approx(timeline.total)


@pytest.mark.parametrize("claimed", [True, False])
def test_a_cancelled_task_stops_where_it_was(claimed: bool) -> None:
    log = Log().submitted()
    if claimed:
        log.claimed(1.0)

    timeline = log.ended(2.0, TaskStatus.CANCELLED).timeline()

    last = ("cancelled", "loading", 2.0) if claimed else ("waiting", "in_line", 2.0)
    assert bars_of(timeline.bars)[-2:] == [last, ("end", "cancelled", 0.0)]


def test_unobserved_steps_share_the_time() -> None:
    log = Log().submitted().claimed(0.0).begins(Step.PREPARING, 0.2).begins(Step.GENERATING, 0.3)
    log.begins(Step.DECODING, 8.8, observed=False).begins(Step.FINISHING)

    bars = {bar.step: bar for bar in log.completed().timeline().bars}

    assert not bars["generating"].observed
    assert not bars["decoding"].observed
    assert bars["finishing"].observed
    assert bars["generating"].seconds == pytest.approx(8.0)
    assert bars["decoding"].seconds == pytest.approx(0.8)


def test_what_the_model_server_asked_to_wait_is_cut_out_of_the_step() -> None:
    log = Log().submitted().claimed(0.0).begins(Step.PREPARING, 0.2)
    log.write(EventKind.DELAYED, 0.1, reason=DelayReason.MODEL_BUSY.value, until=log.at + 2.1)
    log.begins(Step.PREPARING, 2.0).begins(Step.GENERATING, 0.3)

    timeline = log.timeline(later=1.0)

    assert bars_of(timeline.bars)[3:] == [
        ("work", "preparing", 0.1),
        ("waiting", "model", 2.0),
        ("work", "preparing", 0.3),
        ("running", "generating", 1.0),
    ]


def test_a_call_that_is_put_off_now_is_waited_for() -> None:
    log = Log().submitted().claimed(0.0).begins(Step.PREPARING, 0.2)
    log.write(EventKind.DELAYED, 0.1, reason=DelayReason.MODEL_BUSY.value, until=log.at + 9.1)

    bars = bars_of(log.timeline(later=1.0).bars)

    assert bars[-3:] == [
        ("work", "preparing", 0.1),
        ("waiting", "model", 1.0),
        ("running", "preparing", 0.0),
    ]


def test_as_fast_as_usual_needs_no_excuse() -> None:
    found = Log().submitted().claimed(0.0).draws().completed().diagnose()

    assert (found.outcome, found.causes) == ("usual", [])
    assert found.usual == pytest.approx(5.0)


def test_a_fast_task_is_named() -> None:
    assert (
        Log().submitted().claimed(0.0).draws(generating=1).completed().diagnose().outcome == "fast"
    )


def test_a_long_wait_in_the_queue_is_named() -> None:
    found = Log().submitted().claimed(20.0).draws().completed().diagnose()

    assert found.outcome == "slow"
    assert [(cause.kind, cause.seconds) for cause in found.causes] == [("in_line", 20.0)]


def test_a_slow_step_is_named_with_how_much_slower_it_was() -> None:
    found = Log(n=2).submitted().claimed(0.0).draws().draws(generating=20.0).completed().diagnose()

    (cause,) = found.causes
    assert (cause.kind, cause.bar.step, cause.bar.image) == ("step", "generating", 2)
    assert cause.times == pytest.approx(24 / 8)


def test_an_interruption_costs_what_was_lost_with_it_and_not_its_whole_pictures() -> None:
    log = Log(n=2).submitted().claimed(0.0).draws().begins(Step.PREPARING, 0.1)
    log.image = 2
    log.interrupted(3.0, InterruptReason.MODEL_LOST).claimed(2.0)
    log.begins(Step.PREPARING, 0.2).begins(Step.GENERATING, 0.3).begins(Step.DECODING, 4.0)

    found = log.begins(Step.FINISHING, 0.4).completed().diagnose()

    assert [(cause.kind, round(cause.seconds, 3)) for cause in found.causes] == [
        ("interrupted", 5.0)
    ]


def test_without_a_past_nothing_is_called_slow_for_its_steps() -> None:
    guess = {"loading": 0.1, "preparing": 0.2, "generating": 5.0, "decoding": 0.4, "finishing": 0.1}

    found = Log(expected=guess).submitted().claimed(0.0).draws(generating=50).completed().diagnose()

    assert (found.outcome, found.usual, found.causes) == ("first", None, [])


@given(st.floats(0.1, 400_000))
def test_the_axis_has_five_to_nine_round_ticks(span: float) -> None:
    marks = list(ticks(span))

    assert 5 <= len(marks) <= 9
    assert marks[0] == 0
    assert marks[-1] <= span + 0.001


lengths = st.floats(0, 5_000, allow_nan=False).map(lambda value: round(value, 3))


@st.composite
def lives(draw: st.DrawFn) -> Log:
    """Any course a task can take, clocks that go back a little included."""
    log = Log(n=draw(st.integers(1, 4))).submitted()
    for _each in range(draw(st.integers(0, 3))):
        log.claimed(draw(lengths))
        for _picture in range(draw(st.integers(0, log.n))):
            log.image += 1
            for step in (Step.PREPARING, Step.GENERATING, Step.DECODING, Step.FINISHING):
                seen = draw(st.booleans()) or step in (Step.PREPARING, Step.FINISHING)
                log.begins(step, draw(lengths) if seen else 0.0, observed=seen)
        if draw(st.booleans()):
            until = log.at + draw(lengths)
            log.write(EventKind.DELAYED, 0.0, reason=DelayReason.MODEL_BUSY.value, until=until)
        log.interrupted(draw(lengths), draw(st.sampled_from(InterruptReason)))
        log.at -= draw(st.sampled_from([0.0, 0.0, 0.02]))
    if draw(st.booleans()):
        log.claimed(draw(lengths)).draws()
        if draw(st.booleans()):
            log.completed()
    if log.status in (TaskStatus.QUEUED, TaskStatus.RUNNING) and draw(st.booleans()):
        ends = {TaskStatus.FAILED: ErrorCode.STALLED.value, TaskStatus.CANCELLED: ""}
        status = draw(st.sampled_from(list(ends)))
        log.ended(draw(lengths), status, ends[status])
    return log


@given(lives(), lengths)
def test_rows_lie_within_the_time_and_parts_add_up_to_it(log: Log, later: float) -> None:
    timeline = log.timeline(later)

    assert sum(segment.seconds for segment in timeline.segments) == pytest.approx(
        timeline.total, abs=1e-6
    )
    bars: list[Bar | Segment] = [*timeline.bars, *timeline.segments]
    for bar in bars:
        assert 0 <= bar.begins <= bar.ends <= timeline.total
    for before, after in zip(timeline.bars, timeline.bars[1:], strict=False):
        assert before.ends <= after.begins + 1e-9
    for segment in (segment for segment in timeline.segments if segment.attempt):
        own = [r for r in timeline.bars if r.attempt == segment.attempt and r.step != "silence"]
        assert sum(bar.seconds for bar in own) == pytest.approx(segment.seconds, abs=1e-6)
    assert {bar.kind for bar in timeline.bars if not timeline.goes_on} & {"running"} == set()
    log.diagnose(later)
