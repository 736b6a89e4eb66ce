"""The life of a worker: claims, heartbeats, model probes, take-overs, and the shutdown."""

from __future__ import annotations

import asyncio
import logging
import uuid
from functools import cached_property, partial
from time import monotonic

from channels.db import database_sync_to_async
from django.conf import settings

from accounts.log_format import log_line
from generation import broadcast, process_metrics, services
from generation.alarms import PING_INTERVAL, AlarmWatcher, HeartbeatPing
from generation.choices import InterruptReason
from generation.clock import clock
from generation.exceptions import AttemptInterrupted, CancelObserved, LeaseLost
from generation.loops import RETRY_DELAY, Job, every, listen
from generation.outages import Outage, cause_of, database
from generation.pause_state import PauseState
from generation.services import Claim
from generation.shutdown import cancel_and_wait, finish_within
from generation.worker import decoder
from generation.worker.aborts import ABORT_TIMEOUT
from generation.worker.drain_state import DrainState
from generation.worker.housekeeping import Housekeeping
from generation.worker.idle_lock import IdleLock
from generation.worker.model_probe import PROBE_INTERVAL
from generation.worker.named_channel import receive_messages
from generation.worker.registration import RETIRE_TIMEOUT, register, retire
from generation.worker.server_links import Connect, ServerLinks, connect
from generation.worker.take_overs import TakeOvers
from generation.worker.task_run import TaskRun
from generation.worker.webhook_sender import WebhookSender
from generation.xinference import XinferenceClient

logger = logging.getLogger(__name__)

POLL_INTERVAL = 1.0
"""Seconds between polls of the queue, because a wake-up may be lost."""

LEASE_CHECK_INTERVAL = 2.0
CLAIMS_AT_ONCE = 8
"""Tasks of one transaction; separate ones would compute the queue order for each task."""

HEARTBEATS_PER_LEASE = 6
SELF_STOP_FRACTION = 2 / 3
"""Share of the lease without a heartbeat after which a worker stops its own runs."""

HAND_BACK_TIMEOUT = ABORT_TIMEOUT + 5.0
"""Seconds for stopped runs to end; those still running are left to their leases."""


class WorkerRunner:
    """The worker of a process, from `start` to `drain`."""

    def __init__(self, connect: Connect = connect, *, version: str, model_server: str = "") -> None:
        """`connect` makes the client of a server.

        `model_server`: the addresses that all workers must share; empty to skip the check.
        """
        self.model_server = model_server
        self.version = version
        self.servers = ServerLinks(connect, recorded=self.wake, in_use=self.clients_in_use)
        self.woken = asyncio.Event()
        self.idle_lock = IdleLock()
        self.draining = False
        self.drain_state = DrainState()
        self.pause = PauseState()
        self.worker_id = uuid.UUID(int=0)
        self.alarms = AlarmWatcher(self.pause)
        self.heartbeat_ping = HeartbeatPing()
        self.runs: dict[TaskRun, asyncio.Task[None]] = {}
        self.take_overs = TakeOvers(self.servers, self.outage)
        self.loops: list[asyncio.Task[None]] = []
        self.owns_publisher = False
        self.claimer: asyncio.Task[None] | None = None
        self.started = self.last_heartbeat = monotonic()

    @cached_property
    def webhooks(self) -> WebhookSender:
        return WebhookSender(lambda: self.pause.is_held, self.outage("webhooks"))

    @cached_property
    def housekeeping(self) -> Housekeeping:
        return Housekeeping(
            self.servers,
            self.idle_lock,
            worker_id=lambda: self.worker_id,
            may_go_on=lambda: not self.draining and not self.pause.is_held,
            is_idle=lambda: not self.runs,
        )

    def wake(self) -> None:
        self.woken.set()

    def outage(self, job: str) -> Outage:
        return Outage(logger, "worker", worker=str(self.worker_id)[:8], job=job)

    async def start(self) -> None:
        decoder.warm()
        await database_sync_to_async(clock.synchronise)()
        await self.pause.refresh()
        self.worker_id = await register(version=self.version, model_server=self.model_server)
        await database_sync_to_async(services.sync_named_servers)(now=clock.now())
        self.owns_publisher = broadcast.publisher.start()
        self.started = self.last_heartbeat = monotonic()
        heartbeat_every = settings.GENERATION_LEASE.total_seconds() / HEARTBEATS_PER_LEASE
        self.loops = [
            asyncio.create_task(listen(partial(receive_messages, self.wake)), name="listen"),
            self.repeat(PROBE_INTERVAL, self.follow_servers),
            self.repeat(LEASE_CHECK_INTERVAL, self.expire),
            self.repeat(heartbeat_every, self.heartbeat),
            self.repeat(POLL_INTERVAL, self.stop_if_overdue),
            self.repeat(POLL_INTERVAL, self.cancel_overdue),
            asyncio.create_task(self.webhooks.run(), name="webhooks"),
        ]
        for seconds, job, first in self.housekeeping.jobs():
            self.loops.append(self.repeat(seconds, job, first=first))
        if settings.HEARTBEAT_URL:
            self.loops.append(self.repeat(PING_INTERVAL, self.ping_heartbeat_url))
        self.alarms.start()
        self.claimer = asyncio.create_task(self.claim_loop(), name="claim")

    def repeat(self, seconds: float, job: Job, *, first: float = 0.0) -> asyncio.Task[None]:
        name = job.__name__
        return asyncio.create_task(every(seconds, job, self.outage(name), first=first), name=name)

    async def follow_servers(self) -> None:
        self.servers.held = self.pause.is_held
        await self.servers.refresh()
        self.servers.start_probes()

    def clients_in_use(self) -> set[XinferenceClient]:
        return {run.attempt.client for run in self.runs} | set(self.take_overs.clients.values())

    async def claim_loop(self) -> None:
        """Claim tasks until the worker drains.

        It is not cancelled: an interrupted claim could leave a task without a run.
        """
        outage = self.outage("claim")
        while not self.draining:
            try:
                while not self.draining and await self.claim_tasks():
                    pass
                outage.worked()
            except Exception as error:  # noqa: BLE001
                if not database.is_outage(error):
                    outage.failed(error)
                await asyncio.sleep(RETRY_DELAY)
            await self.check_cancels()
            try:
                async with asyncio.timeout(POLL_INTERVAL):
                    await self.woken.wait()
            except TimeoutError:
                pass
            self.woken.clear()

    async def claim_tasks(self) -> bool:
        if self.pause.on or self.drain_state.on or self.heartbeat_overdue():
            # an overdue worker would give up its claims at once: a heartbeat must come first
            return False
        began = monotonic()
        claims = await database_sync_to_async(services.claim)(
            worker_id=self.worker_id,
            now=clock.now(),
            most=CLAIMS_AT_ONCE,
            server_ids=self.servers.callable_ids,
        )
        if claims:
            process_metrics.CLAIM.observe(monotonic() - began)
        for claim in claims:
            self.start_run(claim)
        # the calls of these claims go out before the next claim occupies the database thread
        await asyncio.sleep(0)
        return bool(claims)

    def start_run(self, claim: Claim) -> None:
        client = self.servers.client_of(claim.server_id)
        if client is None:
            return  # the row of its server was deleted just now: the lease runs out
        self.idle_lock.mark_busy()
        run = TaskRun(claim, client, self.heartbeat_overdue, self.idle_lock)
        task = asyncio.create_task(run.run(), name=f"task {claim.task.pk}")
        self.runs[run] = task
        task.add_done_callback(lambda done: self.run_ended(run, done))

    def run_ended(self, run: TaskRun, done: asyncio.Task[None]) -> None:
        del self.runs[run]
        self.servers.note_pace(run.attempt)
        if not done.cancelled() and done.exception() is not None:
            with run.attempt.logging():
                logger.error("%s", log_line("attempt_escaped"), exc_info=done.exception())
        self.wake()
        self.webhooks.wake()

    async def heartbeat(self) -> None:
        # before the heartbeat: a late one must not hide that the lease was lost
        await self.stop_if_overdue()
        began = monotonic()
        await database_sync_to_async(clock.synchronise)()
        if not await self.drain_state.refresh(self.worker_id):
            # an operator has forgotten it
            self.worker_id = await register(version=self.version, model_server=self.model_server)
        wanted = await database_sync_to_async(services.heartbeat)(
            worker_id=self.worker_id,
            slot_ids=[*self.held_slots(), *self.take_overs.slots.values()],
            draining=self.draining or self.drain_state.on,
            paused=self.pause.on,
            now=clock.now(),
        )
        database.worked()
        self.last_heartbeat = began
        self.cancel(wanted)
        # last, because a delayed heartbeat costs every call
        await self.pause.refresh()

    async def ping_heartbeat_url(self) -> None:
        """Not in a copy, which must not hide that the original is gone."""
        if not self.pause.is_held and not self.heartbeat_overdue():
            await self.heartbeat_ping.ping()

    def held_slots(self) -> list[int]:
        """Slots whose lease this worker renews; a run that only makes thumbnails has none."""
        return [run.attempt.claim.slot_id for run in self.runs if not run.slot_freed]

    def heartbeat_overdue(self) -> bool:
        """Whether other workers may soon take over the slots of this one.

        Uses the local clock alone, because heartbeats may hang in the database.
        """
        limit = settings.GENERATION_LEASE.total_seconds() * SELF_STOP_FRACTION
        return monotonic() - self.last_heartbeat > limit

    async def stop_if_overdue(self) -> None:
        if self.heartbeat_overdue():
            for run in self.runs:
                run.attempt.stop(LeaseLost())

    async def check_cancels(self) -> None:
        if not self.runs:
            return
        try:
            self.cancel(await database_sync_to_async(services.cancel_requests_of)(self.worker_id))
        except Exception as error:  # noqa: BLE001
            if not database.is_outage(error):
                logger.warning("%s", log_line("cancels_unread", cause=cause_of(error)))

    def cancel(self, wanted: list[uuid.UUID]) -> None:
        for run in self.runs:
            if run.attempt.task.pk in wanted:
                run.attempt.stop(CancelObserved())

    async def expire(self) -> None:
        if self.draining or self.pause.is_held:
            return
        await self.take_overs.take_over_expired(self.worker_id)
        await database_sync_to_async(services.finish_cancels)(now=clock.now())

    async def cancel_overdue(self) -> None:
        """Also in a copy: a program that set a time limit waits for the end."""
        if not self.draining:
            await database_sync_to_async(services.cancel_overdue)(now=clock.now())

    async def finish_runs(self, seconds: float) -> None:
        if self.runs:
            await asyncio.wait(list(self.runs.values()), timeout=seconds)

    async def drain(self) -> None:
        """Finish the runs that end within GENERATION_GRACE, hand back the others, and retire."""
        self.draining = True
        self.wake()
        if self.claimer is not None:
            await asyncio.wait({self.claimer}, timeout=settings.GENERATION_GRACE.total_seconds())
        await self.finish_runs(settings.GENERATION_GRACE.total_seconds())
        for run in list(self.runs):
            run.attempt.stop(AttemptInterrupted(InterruptReason.HANDED_BACK))
        await self.finish_runs(HAND_BACK_TIMEOUT)
        # a claim that still hangs is cancelled; its tasks are left to their leases
        await cancel_and_wait(
            *self.runs.values(), *self.loops, *self.take_overs.slots, self.claimer
        )
        await self.webhooks.close()
        await self.alarms.stop()
        await self.heartbeat_ping.close()
        if self.worker_id.int:
            await retire(self.worker_id, seconds=monotonic() - self.started)
        await finish_within(RETIRE_TIMEOUT, self.servers.aclose(), name="closing connections")
        if self.owns_publisher:
            await broadcast.publisher.stop()
