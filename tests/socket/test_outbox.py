"""A socket's outbox sends frames once and in order, with and without waiting."""

from __future__ import annotations

import asyncio

from generation.hub import INTERNAL_ERROR, SocketOutbox
from generation.limits import MAX_QUEUED_FRAMES
from generation.protocol.close_codes import CloseCode
from tests.socket.fake_transport import Transport, sent


def numbered(count: int) -> list[str]:
    return [str(number) for number in range(count)]


async def put_all(outbox: SocketOutbox, frames: list[str]) -> None:
    for frame in frames:
        await outbox.put(frame)


async def stalled_writer() -> tuple[Transport, asyncio.Task[None]]:
    """A writer of twice as many frames as the outbox of a stalled reader holds."""
    transport = Transport()
    transport.open.clear()
    writer = asyncio.create_task(put_all(transport.outbox, numbered(2 * MAX_QUEUED_FRAMES)))
    for _turn in range(10):
        await asyncio.sleep(0)
    return transport, writer


async def test_a_frame_leaves_at_once_while_nothing_waits() -> None:
    transport = Transport()

    taken = [transport.outbox.offer(frame) for frame in numbered(1_000)]

    assert all(taken)
    assert transport.frames == numbered(1_000)
    assert transport.waited == transport.outbox.frames == []


async def test_what_comes_after_a_pause_stays_behind_what_waited() -> None:
    transport = Transport()
    for frame in numbered(9):
        if frame == "3":
            transport.open.clear()
        if frame == "6":
            transport.open.set()
        transport.outbox.offer(frame)
        if frame in "47":
            # the sender has begun with one frame, and the next ones find the queue empty
            await asyncio.sleep(0)
    await sent(transport.outbox)
    transport.outbox.offer("9")

    assert transport.frames == numbered(10)
    assert transport.waited == ["3"]


async def test_a_stalled_reader_costs_no_more_than_a_queue() -> None:
    transport, writer = await stalled_writer()

    assert len(transport.outbox.frames) == MAX_QUEUED_FRAMES
    assert not transport.outbox.offer("one more")

    transport.open.set()
    await writer
    await sent(transport.outbox)
    assert transport.frames == numbered(2 * MAX_QUEUED_FRAMES)


async def test_what_cannot_be_written_ends_its_own_socket_alone() -> None:
    transport = Transport()

    assert transport.outbox.offer("\ud800")
    await sent(transport.outbox)
    transport.outbox.offer("after")

    assert transport.closed == [INTERNAL_ERROR]
    assert transport.frames == []


async def test_giving_up_a_reader_releases_its_writers() -> None:
    transport, writer = await stalled_writer()

    await transport.outbox.end(CloseCode.TOO_SLOW)
    await writer

    assert transport.closed == [CloseCode.TOO_SLOW]
    assert transport.frames == transport.outbox.frames == []
    await transport.outbox.stop()
