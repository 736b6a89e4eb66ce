"""Ends asyncio tasks within a time limit, so that no shutdown hangs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from time import monotonic
from typing import Any

from accounts.log_format import log_line
from generation.outages import cause_of

logger = logging.getLogger(__name__)

END_TIMEOUT = 10.0
"""Seconds that cancelled tasks have to end; a slower one is logged and left."""

CANCEL_INTERVAL = 2.0
"""Seconds before a task is cancelled once more. A library can lose a cancellation:
`asyncio.wait_for` of Python 3.11 returns a result that arrives in the same turn of the loop."""


async def cancel_and_wait(
    *tasks: asyncio.Future[Any] | None, within: float | None = None
) -> set[asyncio.Future[Any]]:
    """Cancel `tasks` and wait; return those that did not end in time.

    None, finished tasks and the calling task are skipped. Errors of the tasks are discarded.
    """
    left = {task for task in tasks if task is not None and task is not asyncio.current_task()}
    deadline = monotonic() + (END_TIMEOUT if within is None else within)
    for task in left:
        task.add_done_callback(retrieve_error)
    left = {task for task in left if not task.done()}
    while left and (seconds := deadline - monotonic()) > 0:
        for task in left:
            task.cancel()
        _ended, left = await asyncio.wait(left, timeout=min(CANCEL_INTERVAL, seconds))
    for task in left:
        logger.error("%s", log_line("task_left_behind", task=name_of(task)))
    return left


async def finish_within(seconds: float, work: Coroutine[Any, Any, Any], *, name: str) -> None:
    """Run one part of a shutdown; log it if it fails or takes longer than `seconds`."""
    task = asyncio.create_task(work, name=name)
    try:
        await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not task.done():
        logger.warning("%s", log_line("shutdown_late", part=name, seconds=seconds))
        await cancel_and_wait(task)
    elif not task.cancelled() and (error := task.exception()) is not None:
        logger.warning("%s", log_line("shutdown_failed", part=name, cause=cause_of(error)))


def retrieve_error(task: asyncio.Future[Any]) -> None:
    """Retrieve the error of `task`, so that asyncio does not warn about it."""
    if not task.cancelled():
        task.exception()


def name_of(task: asyncio.Future[Any]) -> str:
    """Name of the task and the line where it waits, without result or arguments."""
    if not isinstance(task, asyncio.Task):
        return type(task).__name__
    where = [f"{each.f_code.co_qualname}:{each.f_lineno}" for each in task.get_stack(limit=1)]
    return " ".join([task.get_name(), *where])
