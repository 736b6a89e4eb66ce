"""The model servers of one worker: a client and a probe for each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass

from channels.db import database_sync_to_async

from generation import selectors, services
from generation.choices import KeyUse, Step
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import XinferenceError
from generation.loops import every
from generation.models import ModelServer
from generation.outages import Outage
from generation.shutdown import cancel_and_wait
from generation.worker.attempt import Attempt
from generation.worker.model_probe import PROBE_INTERVAL, ModelProbe
from generation.xinference import XinferenceClient, client_for

Connect = Callable[[ModelServer], XinferenceClient | None]

logger = logging.getLogger(__name__)


def connect(server: ModelServer) -> XinferenceClient | None:
    """A client of a server that another process runs; raises XinferenceError or OSError.

    None for the demo model, which only the process that runs it can call.
    """
    return None if server.is_demo else client_for(services.connection_of(server))


@dataclass(slots=True, kw_only=True)
class ServerLink:
    """One server: `made_from` are the columns that its client was made from."""

    name: str
    made_from: tuple[object, ...]
    client: XinferenceClient
    probe: ModelProbe
    enabled: bool
    probing: asyncio.Task[None] | None = None


class ServerLinks:
    """Follows the rows of the servers, so that changes of an operator need no restart.

    Each server is probed in a loop of its own: one that hangs delays no other. One that has been
    away for long is probed less often, unless a task waits for it.
    """

    def __init__(
        self,
        connect: Connect = connect,
        *,
        recorded: Callable[[], None] = lambda: None,
        in_use: Callable[[], Collection[XinferenceClient]] = lambda: (),
    ) -> None:
        """`connect` makes clients; `recorded` is called after a probe that found a ready model.

        `in_use`: clients that must stay open although the rows of their servers changed.
        """
        self.connect = connect
        self.recorded = recorded
        self.in_use = in_use
        self.held = False
        """Whether no request may be sent, as in a copy of the installation."""
        self.wanted = False
        """Whether a task waits for a model that no server has ready."""
        self.links: dict[int, ServerLink] = {}
        self.retired: list[XinferenceClient] = []
        self.refreshing = asyncio.Lock()

    async def refresh(self) -> None:
        """Read the rows, and close clients of servers that changed once no call uses them."""
        async with self.refreshing:
            rows = await database_sync_to_async(services.model_servers)()
            for row in rows:
                await self.follow(row)
            for server_id in self.links.keys() - {row.pk for row in rows}:
                await self.retire(server_id, self.links[server_id])
            self.wanted = await database_sync_to_async(selectors.is_waiting_for_servers)()
        in_use = self.in_use()
        closed = [client for client in self.retired if client not in in_use]
        self.retired = [client for client in self.retired if client in in_use]
        for client in closed:
            await client.aclose()

    async def follow(self, row: ModelServer) -> None:
        made_from = columns_of_connection(row)
        link = before = self.links.get(row.pk)
        if before is None or before.made_from != made_from:
            # the new one first: a claim may need it while the probe of the old one ends
            link = await self.link(row, made_from)
            if before is not None:
                await self.retire(row.pk, before)
        if link is not None:
            link.enabled = row.enabled
            if row.checked_at is None:
                link.probe.hurry()

    async def link(self, row: ModelServer, made_from: tuple[object, ...]) -> ServerLink | None:
        """A new link; None, with the reason in the row, if no client can be made here."""
        try:
            client = self.connect(row)
        except (XinferenceError, OSError) as error:
            detail = error.detail if isinstance(error, XinferenceError) else str(error)
            # not if another worker can ask it
            await database_sync_to_async(services.record_unreachable)(
                server_id=row.pk,
                code=ErrorCode.MODEL_DOWN,
                detail=detail,
                unseen_for=services.UNSEEN_AFTER,
                now=clock.now(),
            )
            return None
        if client is None:
            return None
        probe = ModelProbe(client, server_id=row.pk, server=row.name)
        link = ServerLink(
            name=row.name, made_from=made_from, client=client, probe=probe, enabled=row.enabled
        )
        self.links[row.pk] = link
        return link

    async def retire(self, server_id: int, link: ServerLink) -> None:
        if self.links.get(server_id) is link:
            del self.links[server_id]
        self.retired.append(link.client)
        await cancel_and_wait(link.probing)

    def start_probes(self) -> None:
        """Begin the loops of new links."""
        for link in self.links.values():
            if link.probing is None:
                outage = Outage(logger, "worker", job="probe", server=link.name)

                async def probe(link: ServerLink = link) -> None:
                    if self.is_due(link):
                        await self.probe(link)

                link.probing = asyncio.create_task(
                    every(PROBE_INTERVAL, probe, outage), name=f"probe {link.name}"
                )

    def is_due(self, link: ServerLink) -> bool:
        return self.wanted or link.probe.is_due

    async def probe(self, link: ServerLink) -> None:
        if not self.held and link.enabled and await link.probe.probe():
            self.recorded()

    async def probe_all(self) -> None:
        """Ask every enabled server now."""
        await asyncio.gather(*(self.probe(link) for link in self.links.values()))

    def client_of(self, server_id: int | None) -> XinferenceClient | None:
        """The client of a server; of None that of the settings, as versions before had only one.

        None if this worker cannot call it.
        """
        for key, link in self.links.items():
            if key == server_id or (server_id is None and link.name == services.DEFAULT_SERVER):
                return link.client
        return None

    def note_pace(self, attempt: Attempt) -> None:
        """Note how long the server of an attempt took, if a picture was generated."""
        link = self.links.get(attempt.claim.server_id)
        seconds = attempt.meter.measured().get(Step.GENERATING)
        if link is not None and seconds:
            link.probe.note_pace(attempt.task, seconds)

    @property
    def callable_ids(self) -> list[int]:
        return [key for key, link in self.links.items() if link.enabled]

    @property
    def askable_clients(self) -> dict[int, XinferenceClient]:
        """Id → client of the enabled servers that did not refuse the key."""
        links = {key: link for key, link in self.links.items() if link.enabled}
        return {key: link.client for key, link in links.items() if link.probe.key != KeyUse.REFUSED}

    @property
    def errors(self) -> int:
        """Requests that have failed so far, of all clients."""
        return sum(link.client.errors for link in self.links.values())

    async def aclose(self) -> None:
        for server_id, link in list(self.links.items()):
            await self.retire(server_id, link)
        for client in self.retired:
            await client.aclose()


def columns_of_connection(row: ModelServer) -> tuple[object, ...]:
    return (
        *(row.from_environment, row.url, row.encrypted_key, row.key_variable),
        *(row.ca_file, row.client_certificate, row.verify, row.proxy, row.metrics_url),
    )
