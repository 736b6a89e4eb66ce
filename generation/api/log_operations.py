"""The log of a task: in pages, with a long poll, and as a stream."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncGenerator
from typing import Any

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from ninja import Query, Router

from generation import selectors
from generation.api.resources import answer
from generation.api.schemas import Events, document
from generation.api.submission_headers import MAX_WAIT
from generation.api.task_operations import visible
from generation.api.token_auth import signed_in_by, user_of
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.models import GenerationTask
from generation.sessions import ConnectionRejected, TaskWatch, watching

router = Router(tags=["events"])

MAX_EVENTS = 500
"""Per response."""

MAX_SEQ = 2**31 - 1
KEEPALIVE = 15.0
"""Seconds without events after which the stream sends a comment."""


@router.get(
    "/tasks/{uuid:task_id}/events",
    url_name="events",
    **document({200: Events}, problems=(404, 422)),
)
async def read_events(
    request: HttpRequest,
    task_id: uuid.UUID,
    after: int = Query(0, ge=0, le=MAX_SEQ, description="number of the last event that you have"),
    wait: int = Query(0, ge=0, le=MAX_WAIT, description="seconds to wait for the first new one"),
) -> HttpResponseBase:
    """Events after `after`, in order."""
    task, page = await database_sync_to_async(read)(request, task_id, after)
    if wait and not page["events"] and not page["is_over"]:
        async with watching(task, signed_in_by(request), after=after) as watch:
            await watch.fetch(within=wait)
        _task, page = await database_sync_to_async(read)(request, task_id, after)
    return answer(page)


def read(
    request: HttpRequest, task_id: uuid.UUID, after: int
) -> tuple[GenerationTask, dict[str, Any]]:
    task = visible(task_id, user_of(request))
    page = selectors.log_after(task_id=str(task_id), after=after, limit=MAX_EVENTS)
    events = [json.loads(frame) for _seq, frame in page.frames]
    return task, {"events": events, "more": page.more, "is_over": task.is_over and not page.more}


@router.get(
    "/tasks/{uuid:task_id}/stream",
    url_name="stream",
    **document({200: str}, problems=(404, 422)),
)
async def stream_events(
    request: HttpRequest,
    task_id: uuid.UUID,
    after: int = Query(0, ge=0, le=MAX_SEQ),
) -> HttpResponseBase:
    """The same as server-sent events; `Last-Event-ID` continues. It ends with the task."""
    task = await database_sync_to_async(visible)(task_id, user_of(request))
    return StreamingHttpResponse(
        chunks(request, task, last_event(request, after)),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"},
    )


def last_event(request: HttpRequest, after: int) -> int:
    text = request.headers.get("Last-Event-ID", "")
    if not text:
        return after
    if not (text.isascii() and text.isdigit() and int(text) <= MAX_SEQ):
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "Last-Event-ID")
    return int(text)


async def chunks(request: HttpRequest, task: GenerationTask, after: int) -> AsyncGenerator[str]:
    try:
        async with watching(task, signed_in_by(request), after=after) as watch:
            if task.is_over and after >= task.newest_seq:
                return
            async for chunk in following(watch):
                yield chunk
    except ConnectionRejected as rejected:
        yield f'event: close\ndata: {{"code": {int(rejected.close_code)}}}\n\n'


async def following(watch: TaskWatch) -> AsyncGenerator[str]:
    while not watch.is_over:
        events = await watch.fetch(within=KEEPALIVE)
        yield "".join(f"id: {seq}\ndata: {frame}\n\n" for seq, frame in events) or ": alive\n\n"
