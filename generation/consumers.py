"""`/ws/generate`: the browser's and the programs' socket, protocol 1 (docs/protocol.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseProblem

from generation import selectors
from generation.choices import CloseCode
from generation.hub import SocketOutbox, cannot_send_now, hub
from generation.log_lines import database
from generation.selectors import clock
from generation.sessions import (
    Bucket,
    Conversation,
    Credentials,
    Refused,
    Standing,
    all_buckets,
    credentials_of,
)
from generation.sessions.socket import Attached

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Who came, and the cursors of his unfinished tasks, not before `now`.

    `since` (monotonic) and `notices` say up to where the hub has to have heard all to go on so.
    """

    user: User
    active: list[dict[str, Any]]
    now: datetime
    since: float
    notices: int


def look_up(credentials: Credentials, **moment: Any) -> Arrival:
    """One way to the thread that has the database instead of two; raises Refused."""
    user = credentials.look_up()
    return Arrival(user=user, active=selectors.active_cursors(user), **moment)


class GenerateConsumer(AsyncWebsocketConsumer):
    """Lets a person in and hands his messages on. Events come from the hub.

    It has no layer channel of its own: the hub has one for the whole process.
    """

    channel_layer_alias = None  # type: ignore[assignment]

    credentials: Credentials
    user: User
    conversation: Conversation
    outbox: SocketOutbox | None = None
    standing: Standing | None = None

    async def connect(self) -> None:
        """Accept first, so that a refusal has a close code that a page can read."""
        await self.accept()
        if hub.leaving:
            await self.shut(CloseCode.LEAVING)
            return
        try:
            arrival = await self.sign_in()
            if not hub.leaving:
                await self.enter(arrival)
        except Refused as refused:
            await self.shut(refused.close_code)
        except DatabaseProblem as error:
            database.met(error)
            await self.shut(CloseCode.LEAVING)

    async def sign_in(self) -> Arrival:
        """Meanwhile the hub knows how to close us, but not yet who we are."""
        hub.connecting.add(self.shut)
        try:
            self.credentials = credentials_of(dict(self.scope))
            return await database_sync_to_async(look_up)(
                self.credentials, now=clock.now(), since=monotonic(), notices=hub.notices
            )
        finally:
            hub.connecting.discard(self.shut)

    async def enter(self, arrival: Arrival) -> None:
        self.user, active, now = arrival.user, arrival.active, arrival.now
        if not hub.has_room(self.user.pk) or not all_buckets.take(self.user.pk):
            raise Refused(CloseCode.FLOODING)
        self.bucket = Bucket()
        scope: dict[str, Any] = dict(self.scope)
        self.outbox = SocketOutbox(
            owner_id=self.user.pk,
            send=self.send_text,
            send_now=scope.get("send_now", cannot_send_now),
            close=self.shut,
        )
        following = Attached(self.outbox)
        self.conversation = Conversation(self.user, following, address=self.credentials.address)
        await hub.register(self.outbox)
        self.standing = Standing(self.credentials, self.conversation, self.outbox)
        self.standing.ask_later()
        if not hub.missed_no_notice(self.user.pk, since=arrival.since, notices=arrival.notices):
            now = clock.now()
            active = await database_sync_to_async(selectors.active_cursors)(self.user)
        await following.say(self.conversation.hello(active, now=now))

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without the look at old database connections that Channels takes before each message.

        It waits for the one database thread; a handshake must not, or Daphne gives it up after
        5 s. Every call to the database takes that look itself.
        """
        await getattr(self, get_handler_name(message))(message)

    async def websocket_disconnect(self, message: Any) -> None:
        """Without that look, too; `__call__` does all that is left to do."""
        raise StopConsumer

    async def send_text(self, text: str) -> None:
        await self.send(text_data=text)

    async def shut(self, code: int) -> None:
        # a plain int: the server's library refuses the enum
        await self.close(int(code))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Leave the hub however this ends: Channels calls disconnect() only after a clean close."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.standing is not None:
                self.standing.stop()
            if self.outbox is not None:
                await hub.unregister(self.outbox)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        # what somebody asked who is given up meanwhile need not be looked up any more
        if self.outbox is None or self.outbox.closed:
            return
        if self.bucket.take() and all_buckets.take(self.user.pk):
            await self.conversation.hear(text_data)
        else:
            await self.shut(CloseCode.FLOODING)
