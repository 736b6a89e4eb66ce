"""Ends asyncio tasks within a limit: no shutdown waits for ever for what does not end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from time import monotonic
from typing import Any

from accounts.log_escaping import log_line
from generation.log_lines import cause_of

logger = logging.getLogger(__name__)

END_WITHIN = 10.0
"""Seconds that cancelled tasks have to end; one that takes longer is logged and left."""

CANCEL_AGAIN = 2.0
"""Seconds before a task is cancelled once more. A library can lose a cancellation:
`asyncio.wait_for` of Python 3.11 returns a result that arrives in the same turn of the loop."""


async def cancel_and_wait(
    *tasks: asyncio.Future[Any] | None, within: float | None = None
) -> set[asyncio.Future[Any]]:
    """Cancel `tasks` and wait for their ends; the set of those that did not end in time.

    None, what has ended, and the calling task are left out. How a task ends is not told: its
    error counts as retrieved.
    """
    left = {task for task in tasks if task is not None and task is not asyncio.current_task()}
    deadline = monotonic() + (END_WITHIN if within is None else within)
    for task in left:
        task.add_done_callback(retrieve)
    left = {task for task in left if not task.done()}
    while left and (seconds := deadline - monotonic()) > 0:
        for task in left:
            task.cancel()
        _ended, left = await asyncio.wait(left, timeout=min(CANCEL_AGAIN, seconds))
    for task in left:
        logger.error("%s", log_line("task_left_behind", task=name_of(task)))
    return left


async def finish_within(seconds: float, work: Coroutine[Any, Any, Any], *, name: str) -> None:
    """Run one part of a shutdown: what fails or takes longer than `seconds` is logged and left."""
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


def retrieve(task: asyncio.Future[Any]) -> None:
    """Mark the error of `task` as seen, so that asyncio does not warn of it."""
    if not task.cancelled():
        task.exception()


def name_of(task: asyncio.Future[Any]) -> str:
    """Its name and the line where it waits; never its result or arguments."""
    if not isinstance(task, asyncio.Task):
        return type(task).__name__
    where = [f"{each.f_code.co_qualname}:{each.f_lineno}" for each in task.get_stack(limit=1)]
    return " ".join([task.get_name(), *where])
