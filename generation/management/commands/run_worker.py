"""`manage.py run_worker`: run a worker in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseProblem

from generation import services
from generation.exceptions import WorkerRefused
from generation.outages import cause_of
from generation.worker import MetricsPort, WorkerRunner


class Command(BaseCommand):
    help = "Claim tasks and run their Xinference calls until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        if services.uses_demo_model():
            raise CommandError(
                "No model server is set: set XINFERENCE_URL, or XINFERENCE_SERVERS_IN_ADMIN=1 if "
                "the admin names the servers."
            )
        os.umask(settings.UMASK)
        try:
            asyncio.run(self.work())
        except WorkerRefused as refused:
            raise CommandError(str(refused)) from None
        except DatabaseProblem as error:
            raise CommandError(f"The database cannot be used: {cause_of(error)}") from None

    async def work(self) -> None:
        """Run until SIGTERM or SIGINT; then return tasks not finished in GENERATION_GRACE."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        runner = WorkerRunner(version=settings.VERSION, model_server=services.addresses_text())
        await runner.start()
        metrics_port = MetricsPort(settings.METRICS_PORT) if settings.METRICS_PORT else None
        if metrics_port is not None:
            await metrics_port.start()
        self.stdout.write("worker ready")
        self.stdout.flush()
        await stop.wait()
        await runner.drain()
        if metrics_port is not None:
            await metrics_port.close()
