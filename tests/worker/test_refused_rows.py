"""A picture whose row is refused while its file is written."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.test import override_settings

from demo_xinference.app import create_app
from generation import services
from generation.exceptions import LeaseLost, TransitionRefused
from generation.models import GeneratedImage, GenerationTask, Worker
from generation.services import Claim
from generation.worker.attempt import Attempt
from generation.worker.picture_call import PictureCall
from generation.xinference import XinferenceClient
from tests.factories import claim_one, submit
from tests.pictures import picture

# `running_hub` gives the connections back; the test database could not be dropped otherwise
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("running_hub")]
PATIENCE = 15.0


def call_of(claim: Claim) -> PictureCall:
    transport = httpx.ASGITransport(create_app())
    client = XinferenceClient(base_url="http://demo", transport=transport)
    attempt = Attempt(claim, client, heartbeat_overdue=lambda: False)
    return PictureCall(attempt, 1, deadline=monotonic() + PATIENCE, mark_busy=lambda: None)


def files(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


async def lock_row_until_the_file_exists(
    task: GenerationTask, media: Path, then: Callable[[], Any]
) -> asyncio.Task[None]:
    """Return once a thread has locked the row; its transaction ends with `then`."""
    loop, locked = asyncio.get_running_loop(), asyncio.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                GenerationTask.objects.select_for_update().get(pk=task.pk)
                loop.call_soon_threadsafe(locked.set)
                end = time.monotonic() + PATIENCE
                while not files(media):
                    assert time.monotonic() < end
                    time.sleep(0.01)
                then()
        finally:
            connection.close()

    holder = asyncio.create_task(asyncio.to_thread(hold))
    await locked.wait()
    return holder


async def test_one_failing_write(alice: User, model: str, worker: Worker, now: datetime) -> None:
    """The heartbeats go on, so nothing else would ever end it."""
    await sync_to_async(submit)(alice, now)
    attempt = call_of(await sync_to_async(claim_one)(worker, now)).attempt

    def refused() -> None:
        raise OperationalError("statement is too complex")

    second = timedelta(seconds=1)
    with override_settings(GENERATION_LEASE=second), pytest.raises(OperationalError):
        async with asyncio.timeout(PATIENCE):
            await attempt.database(refused)


async def test_a_cancel_during_a_write_removes_the_file(
    alice: User, model: str, worker: Worker, now: datetime, tmp_path: Path
) -> None:
    task = await sync_to_async(submit)(alice, now)
    call = call_of(await sync_to_async(claim_one)(worker, now))
    cancel = partial(services.request_cancel, task_id=task.pk, now=now)

    with override_settings(MEDIA_ROOT=tmp_path):
        holder = await lock_row_until_the_file_exists(task, tmp_path, cancel)
        with pytest.raises(TransitionRefused):
            await call.store(picture())
        await holder

    assert not files(tmp_path)
    assert not await GeneratedImage.objects.aexists()


async def test_a_lost_lease_leaves_no_row_without_file(
    alice: User, model: str, worker: Worker, now: datetime, tmp_path: Path
) -> None:
    """The write hangs, the worker gives up; then the database takes the row after all."""
    task = await sync_to_async(submit)(alice, now)
    call = call_of(await sync_to_async(claim_one)(worker, now))
    gave_up = threading.Event()

    with override_settings(MEDIA_ROOT=tmp_path):
        wait = partial(gave_up.wait, PATIENCE)
        holder = await lock_row_until_the_file_exists(task, tmp_path, wait)
        storing = asyncio.create_task(call.store(picture()))
        while not files(tmp_path):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)  # the row's write is under way, and hangs
        call.attempt.stop(LeaseLost())
        with pytest.raises(LeaseLost):
            await storing
        gave_up.set()
        await holder
        # the abandoned write ends some time later in its own thread
        for _each in range(100):
            if await GeneratedImage.objects.aexists():
                break
            await asyncio.sleep(0.05)

        async for image in GeneratedImage.objects.all():
            assert (tmp_path / image.file).exists()


async def test_a_lease_lost_before_the_check_begins_none(
    alice: User, model: str, worker: Worker, now: datetime
) -> None:
    """A check that was made and never awaited would be a warning, and so an error here."""
    await sync_to_async(submit)(alice, now)
    call = call_of(await sync_to_async(claim_one)(worker, now))
    call.attempt.stop(LeaseLost())

    with pytest.raises(LeaseLost):
        await call.finish("")
