"""What a server leaves of reset sockets, holds for stalled clients, and responds at its limits."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import struct
import time
from typing import Any

from benchmarks.lib.process_stats import family, memory, open_files
from benchmarks.lib.socket_client import TEXT, Client, Refused, dial
from benchmarks.lib.testbed import Person, Served

STALLED = 5
RECEIVE_BUFFER = 4_096
ATTACH_EVERY = 0.5
TIMEOUT = 15.0
NOTHING = "nothing"


def used(served: Served) -> int:
    """Private memory of all its processes, in KiB."""
    return sum(memory(pid).uss for pid in family(served.pid))


async def connect_and_reset(served: Served, person: Person, task: str, _number: int) -> None:
    """Reset a connection soon after it attached."""
    client = await dial(served.port, served.side.headers(person))
    greeted = client.next_text(b'"hello"')
    try:
        await client.opened
        await greeted
        client.send(action="attach", task_id=task, after=0)
        await asyncio.sleep(random.uniform(0, 0.03))
    except Refused:
        pass
    finally:
        client.reset()


def counts(served: Served) -> dict[str, int]:
    figures = served.figures()
    files = sum(open_files(pid) for pid in family(served.pid))
    return {"sockets": figures["sockets"], "tasks": figures["asyncio tasks"], "files": files}


async def kib_per_stalled(served: Served, person: Person, task: str, *, seconds: float) -> float:
    """Peak KiB per client that reads nothing and keeps requesting a long log."""
    served.figures()
    before, worst = used(served), 0
    stalled = [await served.connect(person, receive_buffer=RECEIVE_BUFFER) for _ in range(STALLED)]
    for client in stalled:
        client.transport.pause_reading()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for client in stalled:
            client.send(action="attach", task_id=task, after=0)
        await asyncio.sleep(ATTACH_EVERY)
        worst = max(worst, used(served) - before)
    for client in stalled:
        client.reset()
    return worst / STALLED


async def wrong_token_response(served: Served) -> str:
    """The close code for a wrong token."""
    client = await dial(served.port, {"Authorization": "Bearer nobody"})
    return await close_response(client)


async def long_message_response(served: Served, person: Person, length: int) -> str:
    """The response to a message of that length: our error code, or the close code."""
    client = await served.connect(person)
    refusal = client.next_text(b'"error"')
    client.transport.write(long_frame(json.dumps({"action": "ping", "x": "x" * length}).encode()))
    ends: list[asyncio.Future[Any]] = [refusal, client.closed]
    await asyncio.wait(ends, timeout=TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
    if refusal.done() and not refusal.cancelled():
        error: dict[str, str] = json.loads(refusal.result())
        client.transport.close()
        return f"`{error['code']}`"
    return await close_response(client)


def long_frame(payload: bytes) -> bytes:
    return struct.pack("!BBQ", 128 | TEXT, 128 | 127, len(payload)) + bytes(4) + payload


async def shutdown_response(served: Served, person: Person) -> str:
    """The close code when the server is stopped by SIGTERM."""
    client = await served.connect(person)
    served.signal(signal.SIGTERM)
    return await close_response(client)


async def close_response(client: Client) -> str:
    try:
        async with asyncio.timeout(TIMEOUT):
            await client.opened
            return str(await client.closed)
    except Refused as refused:
        return str(refused)
    except TimeoutError:
        client.reset()
        return NOTHING
