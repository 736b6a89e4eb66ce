"""A receiver of alarms, and a watcher whose turns the test takes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.test import override_settings

from generation.alarms import AlarmWatcher
from tests.alarms.alarm_turns import OPERATOR, SECRET
from tests.webhooks.receiver import Receiver, receiving
from tests.worker.demo_worker import DemoWorker, StartWorker


@pytest.fixture
async def alerts() -> AsyncIterator[Receiver]:
    """What ALERT_URL receives. The address is private, and no network is allowed for webhooks."""
    async with receiving() as receiver:
        with override_settings(
            ALERT_URL=receiver.url,
            ALERT_SECRET=SECRET,
            ADMINS=[(OPERATOR, OPERATOR)],
            EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
            ALERT_FREE_SPACE=0,
        ):
            yield receiver


@pytest.fixture
async def watcher(alerts: Receiver) -> AsyncIterator[AlarmWatcher]:
    """Not started: the test takes its turns."""
    watcher = AlarmWatcher()
    yield watcher
    await watcher.stop()


@pytest.fixture
def start_worker(start_worker: StartWorker) -> StartWorker:
    """A worker that does not watch: it would send again what `pass_time` takes a lease of."""

    async def start(**options: Any) -> DemoWorker:
        demo_worker = await start_worker(**options)
        await demo_worker.runner.alarms.stop()
        return demo_worker

    return start
