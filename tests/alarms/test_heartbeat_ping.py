"""The request of a working worker to HEARTBEAT_URL."""

from __future__ import annotations

import asyncio

import pytest
from django.test import override_settings

from generation.alarms import HeartbeatPing
from generation.services import PauseLevel
from tests.alarms.ping_server import serving_pings
from tests.worker.demo_worker import StartWorker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("running_hub")]


async def test_a_worker_asks_the_heartbeat_url_unless_it_is_held_or_overdue(
    start_worker: StartWorker, caplog: pytest.LogCaptureFixture
) -> None:
    async with asyncio.timeout(30), serving_pings() as (url, pings):
        runner = (await start_worker()).runner
        with override_settings(HEARTBEAT_URL=url):
            await runner.ping_heartbeat_url()
            runner.pause.level = PauseLevel.ALL
            await runner.ping_heartbeat_url()
            runner.pause.level = PauseLevel.CLAIMS
            runner.last_heartbeat -= 3_600
            await runner.ping_heartbeat_url()

    assert pings == ["GET /ping/1234?a=b HTTP/1.1"]


async def test_a_heartbeat_url_that_fails_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ping = HeartbeatPing()
    with override_settings(HEARTBEAT_URL="http://127.0.0.1:9/secret-path"):
        await ping.ping()
        await ping.ping()
    await ping.close()

    assert caplog.text.count("heartbeat_url_down") == 1
    assert "secret-path" not in caplog.text
