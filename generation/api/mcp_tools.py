"""Tools of the Model Context Protocol; each calls the services and selectors of the API."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import anyio
import mcp_types as mcp
from channels.db import database_sync_to_async
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.credentials import SignedIn
from generation import selectors, services
from generation.api.mcp_results import picture_list, task_result
from generation.api.task_operations import generate_of, visible
from generation.api.token_auth import signed_in_by, user_of
from generation.choices import Step
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput, NotFound, ScopeMissing
from generation.identifiers import parse_uuid
from generation.models import GenerationTask
from generation.selectors import GalleryFilter
from generation.sessions import CONTINUES, ConnectionRejected, TaskWatch, watching

DRAW_WAIT = 50
"""Seconds: many clients give up a call after a minute."""

MAX_WAIT = 600
MAX_TASKS = 20
"""Of one answer of `pictures`."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool. `report`: (progress, total, message) to a client that asked for it."""

    request: HttpRequest
    arguments: dict[str, Any]
    report: Callable[[float, float, str], Awaitable[None]]

    def require_write(self) -> None:
        if not signed_in_by(self.request).credential.may_write:
            raise ScopeMissing

    def require_only(self, names: Collection[str]) -> None:
        """Raise InvalidInput for any other argument."""
        for name in sorted(self.arguments.keys() - set(names)):
            raise InvalidInput(ErrorCode.UNKNOWN_FIELD, name)

    def whole_number(self, name: str, default: int, *, most: int) -> int:
        value = self.arguments.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise InvalidInput(ErrorCode.BAD_MESSAGE, name)
        return value

    def text(self, name: str) -> str:
        value = self.arguments.get(name) or ""
        if not isinstance(value, str) or "\0" in value:
            raise InvalidInput(ErrorCode.BAD_MESSAGE, name)
        return value

    def task(self, *, change: bool = False) -> GenerationTask:
        """The task of `task_id`; raises NotFound."""
        key = parse_uuid(self.text("task_id"))
        if key is None:
            raise NotFound
        return visible(key, user_of(self.request), change=change)


async def draw(call: ToolCall) -> mcp.CallToolResult:
    """Submit a task, wait for its end, and return its pictures."""
    call.require_write()
    wait = call.whole_number("wait", DRAW_WAIT, most=MAX_WAIT)
    message = generate_of({name: value for name, value in call.arguments.items() if name != "wait"})
    submission = await database_sync_to_async(services.submit)(
        owner=user_of(call.request), request=message, now=clock.now()
    )
    result = await result_after(call, submission.task, wait)
    result.is_error = result.structured_content["status"] == "failed"
    return result


async def status(call: ToolCall) -> mcp.CallToolResult:
    """A task as it is now or after `wait` seconds, with its pictures."""
    call.require_only(("task_id", "wait"))
    wait = call.whole_number("wait", 0, most=MAX_WAIT)
    return await result_after(call, await database_sync_to_async(call.task)(), wait)


async def cancel(call: ToolCall) -> mcp.CallToolResult:
    """Stop a task; pictures that exist stay."""
    call.require_write()
    call.require_only(("task_id",))

    def request_cancel() -> str:
        task = call.task(change=True)
        signed_in = signed_in_by(call.request)
        return services.cancel_by(
            signed_in.user, task=task, now=clock.now(), address=signed_in.address
        )

    answer = await database_sync_to_async(request_cancel)()
    return mcp.CallToolResult(
        content=[mcp.TextContent(text=answer)], structured_content={"answer": answer}
    )


async def pictures(call: ToolCall) -> mcp.CallToolResult:
    """The user's newest pictures, without their content."""
    call.require_only(("text", "favourite", "limit", "before"))
    favourite = call.arguments.get("favourite") or False
    if not isinstance(favourite, bool):
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "favourite")
    wanted = GalleryFilter(text=call.text("text")[:200], favourite=favourite)
    limit = call.whole_number("limit", MAX_TASKS, most=MAX_TASKS)

    def read() -> mcp.CallToolResult:
        cards, further = selectors.task_page(
            user_of(call.request),
            wanted,
            before=call.text("before"),
            limit=max(1, limit),
            now=clock.now(),
        )
        return picture_list(call.request, cards, further)

    return await database_sync_to_async(read)()


async def result_after(call: ToolCall, task: GenerationTask, seconds: float) -> mcp.CallToolResult:
    """Follow the task for at most `seconds`; its result then.

    A client that disconnects ends this, not the task.
    """
    if seconds and not task.is_over:
        await report_start(call, task)
        try:
            async with watched(task, signed_in_by(call.request)) as watch:
                await report_until_over(call, watch, task.progress, seconds)
        except ConnectionRejected as rejected:
            if rejected.close_code not in CONTINUES:
                raise
    return await database_sync_to_async(read_result)(call.request, task.pk)


@asynccontextmanager
async def watched(task: GenerationTask, signed_in: SignedIn) -> AsyncGenerator[TaskWatch]:
    """Follow `task`, and always stop: of a call that ends, anyio cancels every further await."""
    context = watching(task, signed_in, after=task.newest_seq)
    with anyio.CancelScope(shield=True):
        watch = await context.__aenter__()
    try:
        yield watch
    finally:
        with anyio.CancelScope(shield=True):
            await context.__aexit__(None, None, None)


def read_result(request: HttpRequest, task_id: uuid.UUID) -> mcp.CallToolResult:
    task = visible(task_id, user_of(request))
    return task_result(request, task, selectors.card_of(task, now=clock.now()))


async def report_start(call: ToolCall, task: GenerationTask) -> None:
    text = _("Task {task_id}. It goes on if this connection ends; `status` follows it.")
    await call.report(task.progress, 100, text.format(task_id=task.pk))


async def report_until_over(
    call: ToolCall, watch: TaskWatch, reported: float, seconds: float
) -> None:
    """Report the progress of the log; only progress that rose, as the protocol demands."""
    until = monotonic() + seconds
    while not watch.is_over and (left := until - monotonic()) > 0:
        for _seq, frame in await watch.fetch(within=left):
            event = json.loads(frame)
            if event["progress"] > reported:
                reported = event["progress"]
                await call.report(reported, 100, str(Step(event["step"]).label))
