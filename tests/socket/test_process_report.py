"""What a web process reports of its connections."""

from __future__ import annotations

import os
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from generation import services
from generation.hub import figures, hub
from generation.models import WebProcess, Worker
from tests.socket.sockets import OpenPage
from tests.socket.task_events import claim, lengthen, progress, seqs_until


async def test_a_web_process_reports_its_connections(
    alice: User, model: str, worker: Worker, open_page: OpenPage
) -> None:
    figures.take()  # polls of earlier tests
    page, _other = await open_page(), await open_page()
    task_id = await page.generate()
    await progress(await claim(worker), 3)
    await seqs_until(page, task_id, 6)

    await hub.report.write_report()

    row = await WebProcess.objects.aget()
    assert (row.pid, row.sockets, row.streams, row.polls) == (os.getpid(), 2, 0, 0)
    assert row.delay_p95 is not None
    await hub.report.write_report()
    assert (await WebProcess.objects.aget()).delay_p95 is None


async def test_a_gap_that_was_healed_is_reported(open_page: OpenPage) -> None:
    page = await open_page()
    task_id = await page.generate()
    before = figures.gaps_healed
    await lengthen(task_id, 9)

    await hub.compare()
    await seqs_until(page, task_id, 9)
    await hub.report.write_report()

    assert (await WebProcess.objects.aget()).gaps_healed == before + 1


async def test_old_reports_are_deleted(running_hub: None) -> None:
    await hub.report.write_report()
    row = await WebProcess.objects.aget()

    await sync_to_async(services.delete_old_web_processes)(now=row.last_seen)
    assert await WebProcess.objects.aexists()
    await sync_to_async(services.delete_old_web_processes)(now=row.last_seen + timedelta(hours=2))
    assert not await WebProcess.objects.aexists()
