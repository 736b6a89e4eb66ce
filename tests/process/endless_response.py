"""A Daphne application with an endless response that counts the bytes it has sent.

`daphne tests.process.endless_response:application`; `/events` is the answer, `/zip` the same as
a download, `/broken` fails after its first part, `/failed` before it,
`/closed` after it is complete, `/count` asks.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from liujuan_site import backpressure

backpressure.STALL_TIMEOUT = 2.0
backpressure.DOWNLOAD_TIMEOUT = 5.0
PART = b"data: " + b"x" * 65_000 + b"\n\n"
counts = {"sent": 0, "open": 0}


async def endless_response(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["path"] == "/count":
        await answer(send, json.dumps(counts).encode())
        return
    if scope["path"] == "/closed":
        await answer(send, b"complete")
        raise RuntimeError("after the response")
    if scope["path"] == "/failed":
        raise RuntimeError("before the response")
    gone = asyncio.create_task(until_disconnect(receive))
    kind = b"application/zip" if scope["path"] == "/zip" else b"text/event-stream"
    headers = [(b"Content-Type", kind)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    counts["open"] += 1
    try:
        while not gone.done():
            await send({"type": "http.response.body", "body": PART, "more_body": True})
            counts["sent"] += len(PART)
            if scope["path"] == "/broken":
                raise RuntimeError("within the response")
            await asyncio.sleep(0)
    finally:
        counts["open"] -= 1


async def until_disconnect(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def answer(send: Any, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


application = backpressure.with_paced_bodies(endless_response)
