"""`/ws/generate`: the WebSocket of browsers and programs, protocol 1 (docs/protocol.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseProblem

from accounts.credentials import SignedIn
from generation import selectors
from generation.clock import clock
from generation.hub import SocketOutbox, cannot_send_now, hub
from generation.outages import database
from generation.protocol.close_codes import CloseCode
from generation.sessions import (
    ConnectionRejected,
    Credentials,
    Session,
    TokenBucket,
    credentials_of,
    owner_buckets,
)
from generation.sessions.socket import SocketSubscriber


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """The user, and the cursors of its unfinished tasks, read at `now` or later.

    `since` (monotonic seconds) and `notices` were taken before the read. `active` is complete if
    `hub.missed_no_notice` is true for them.
    """

    signed_in: SignedIn
    active: list[dict[str, Any]]
    now: datetime
    since: float
    notices: int


def read_handshake(credentials: Credentials, **moment: Any) -> Handshake:
    """Authenticate and read the cursors in one call to the database thread.

    Raises ConnectionRejected.
    """
    signed_in = credentials.authenticate()
    active = selectors.active_cursors(signed_in.user)
    return Handshake(signed_in=signed_in, active=active, **moment)


class GenerateConsumer(AsyncWebsocketConsumer):
    """Authenticates the client and passes its messages to the session; the hub sends events.

    It has no channel of its own: the hub has one for the whole process.
    """

    channel_layer_alias = None  # type: ignore[assignment]

    session: Session
    subscriber: SocketSubscriber | None = None

    async def connect(self) -> None:
        """Accept first: a page can read the close code only of an accepted socket."""
        await self.accept()
        if hub.leaving:
            await self.close_with(CloseCode.LEAVING)
            return
        try:
            handshake = await self.sign_in()
            if not hub.leaving:
                await self.enter(handshake)
        except ConnectionRejected as rejected:
            await self.close_with(rejected.close_code)
        except DatabaseProblem as error:
            database.is_outage(error)
            await self.close_with(CloseCode.LEAVING)

    async def sign_in(self) -> Handshake:
        """Authenticate; until then the hub can close the socket by `hub.connecting`."""
        hub.connecting.add(self.close_with)
        try:
            credentials = credentials_of(dict(self.scope))
            return await database_sync_to_async(read_handshake)(
                credentials, now=clock.now(), since=monotonic(), notices=hub.notices
            )
        finally:
            hub.connecting.discard(self.close_with)

    async def enter(self, handshake: Handshake) -> None:
        user, active, now = handshake.signed_in.user, handshake.active, handshake.now
        if not hub.has_room(user.pk) or not owner_buckets.take(user.pk):
            raise ConnectionRejected(CloseCode.FLOODING)
        self.bucket = TokenBucket()
        scope: dict[str, Any] = dict(self.scope)
        outbox = SocketOutbox(
            owner_id=user.pk,
            send=self.send_text,
            send_now=scope.get("send_now", cannot_send_now),
            close=self.close_with,
        )
        self.subscriber = SocketSubscriber(outbox)
        self.session = Session(handshake.signed_in, self.subscriber)
        with outbox.holding_notices():
            await self.subscriber.open(self.session)
            since, notices = handshake.since, handshake.notices
            if not hub.missed_no_notice(user.pk, since=since, notices=notices):
                now = clock.now()
                active = await database_sync_to_async(selectors.active_cursors)(user)
            await self.subscriber.send(self.session.hello(active, now=now))
            hub.send_limits(user.pk)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Dispatch without `aclose_old_connections`, which Channels awaits before each message.

        It waits for the database thread, and Daphne aborts a handshake after 5 s. Every database
        call closes old connections itself.
        """
        await getattr(self, get_handler_name(message))(message)

    async def websocket_disconnect(self, message: Any) -> None:
        """Stop without `aclose_old_connections`; `__call__` cleans up."""
        raise StopConsumer

    async def send_text(self, text: str) -> None:
        await self.send(text_data=text)

    async def close_with(self, code: int) -> None:
        # a plain int: autobahn rejects the enum
        await self.close(int(code))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run the consumer, then leave the hub: `disconnect` is called only after a clean close."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.subscriber is not None:
                await self.subscriber.close()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        # the socket is closing: do not query for messages that still arrive
        if self.subscriber is None or self.subscriber.outbox.closed:
            return
        if self.bucket.take() and owner_buckets.take(self.subscriber.outbox.owner_id):
            await self.session.handle(text_data)
        else:
            await self.close_with(CloseCode.FLOODING)
