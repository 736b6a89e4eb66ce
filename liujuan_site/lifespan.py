"""Boot and drain of a web process: the hub, the embedded worker and the demo model."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, run_checks

from accounts.log_format import log_line
from generation import services
from generation.alarms import AlarmWatcher
from generation.exceptions import WorkerRefused
from generation.hub import hub
from generation.outages import cause_of
from generation.protocol.close_codes import CloseCode
from generation.shutdown import finish_within
from generation.worker import WorkerRunner
from liujuan_site.connection_limits import ConnectionLimits, raise_file_limit
from liujuan_site.environment import InvalidSettings
from liujuan_site.model_server import EmbeddedModel
from liujuan_site.request_limits import RequestLimits, limit_connections

logger = logging.getLogger(__name__)

FREEZE_THRESHOLDS = (50_000, 50, 50)
"""Rare garbage collections: a full one of Django's heap pauses every socket for 80 ms."""

CLOSE_TIMEOUT = 15.0
"""Seconds for the embedded model server to stop its drawing processes."""

LISTEN_BACKLOG = 1_024
"""Connections that the kernel holds until they are accepted. With Daphne's 50, most of 200 pages
that reconnect at once are refused and retry a second later."""


class Lifecycle:
    """Starts and stops what a web process runs besides requests."""

    def __init__(self) -> None:
        self.worker: WorkerRunner | None = None
        self.alarms = AlarmWatcher()
        self.model_server: EmbeddedModel | None = None
        self.booted: asyncio.Task[None] | None = None

    async def boot(self) -> None:
        refuse_settings()
        await hub.start()
        if settings.EMBEDDED_WORKER:
            self.model_server = EmbeddedModel()
            self.worker = WorkerRunner(
                self.model_server.connect,
                version=settings.VERSION,
                model_server=services.addresses_text(),
            )
            await self.worker.start()
        else:
            # a worker in this process watches itself
            self.alarms.start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*FREEZE_THRESHOLDS)
        worker = "on" if self.worker else "off"
        logger.info("%s", log_line("web_started", version=settings.VERSION, embedded_worker=worker))

    def close_clients(self) -> None:
        """Write all close frames at once, without returning to the event loop.

        Daphne cancels all consumers as soon as it begins to stop: a close that is scheduled for
        later is lost, and the page sees code 1006.
        """
        hub.leaving = True
        for close in hub.close_callbacks():
            closing = close(CloseCode.LEAVING)
            with contextlib.suppress(StopIteration):
                closing.send(None)
            closing.close()

    async def drain(self) -> None:
        """Close the sockets first, so that pages reconnect elsewhere at once; then the worker."""
        await hub.close_sockets(CloseCode.LEAVING)
        if self.worker is not None:
            await self.worker.drain()
        if self.model_server is not None:
            await finish_within(CLOSE_TIMEOUT, self.model_server.aclose(), name="demo model")
        await self.alarms.stop()
        await hub.stop()
        logger.info("%s", log_line("web_stopped"))

    async def lifespan(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """Boot and drain under servers that support the lifespan protocol; Daphne does not."""
        await receive()
        try:
            await self.boot()
        except Exception as error:  # noqa: BLE001  the server ends the process
            log_failed_start(error)
            await send({"type": "lifespan.startup.failed", "message": repr(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.drain()
        await send({"type": "lifespan.shutdown.complete"})


def refuse_settings() -> None:
    """Run the checks of `manage.py check`, which a server does not run, and log warnings.

    Raises InvalidSettings for errors.
    """
    issues = run_checks(tags=[Tags.security])
    errors = [sentence_of(issue) for issue in issues if issue.is_serious()]
    if errors:
        raise InvalidSettings(errors)
    for issue in issues:
        if not issue.is_silenced():
            line = log_line("settings_warning", id=issue.id, cause=sentence_of(issue))
            logger.warning("%s", line)


def sentence_of(message: CheckMessage) -> str:
    return f"{message.msg} {message.hint or ''}".strip()


def log_failed_start(error: BaseException) -> None:
    """Log one sentence for mistakes of the operator, a traceback for anything else."""
    is_expected = isinstance(error, WorkerRefused | InvalidSettings)
    cause = cause_of(error)
    if isinstance(error, InvalidSettings):
        cause = " ".join(str(error).splitlines())
    line = log_line("web_not_started", cause=cause)
    logger.error("%s", line, exc_info=None if is_expected else error)


def connection_limits() -> tuple[RequestLimits, ConnectionLimits]:
    """Limits of this process; none per client behind a proxy, which makes all connections."""
    per_client = 0 if settings.TRUSTED_PROXIES else settings.CONNECTIONS_PER_ADDRESS
    connections = ConnectionLimits(most=raise_file_limit(), per_client=per_client)
    return RequestLimits(base_path=settings.BASE_PATH), connections


def when_daphne_runs(lifecycle: Lifecycle) -> None:
    """Hook boot and drain into Twisted's reactor if this process is Daphne.

    Daphne imports the application before it starts the reactor, which is an asyncio one.
    """
    if "daphne.server" not in sys.modules:
        return
    from twisted.internet import reactor as twisted_reactor
    from twisted.internet.defer import Deferred
    from twisted.internet.tcp import Port

    reactor: Any = twisted_reactor
    if reactor.running:
        return

    def boot() -> None:
        limits, connections = connection_limits()
        for port in reactor.getReaders():
            if isinstance(port, Port):
                limit_connections(port.factory, limits, connections)
                port.socket.listen(LISTEN_BACKLOG)
        lifecycle.booted = asyncio.get_event_loop().create_task(lifecycle.boot())
        lifecycle.booted.add_done_callback(stop_if_failed)

    def stop_if_failed(booted: asyncio.Task[None]) -> None:
        error = None if booted.cancelled() else booted.exception()
        if error is not None:
            log_failed_start(error)
            # Daphne always exits with 0; exit with 1, so that a supervisor sees the failure
            reactor.addSystemEventTrigger("after", "shutdown", os._exit, 1)
            reactor.stop()

    def drain() -> Deferred[None]:
        lifecycle.close_clients()
        return Deferred.fromFuture(asyncio.ensure_future(lifecycle.drain()))

    reactor.callWhenRunning(boot)
    reactor.addSystemEventTrigger("before", "shutdown", drain)
