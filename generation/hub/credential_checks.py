"""Closes connections whose credentials have ended, and detaches what a user may no longer see."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain

from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from accounts.credentials import HeldCredential, SignedIn, users_of
from accounts.log_format import log_line
from accounts.second_factor import without_second_factor
from accounts.security_log import SecurityEvent, log_event
from generation import selectors
from generation.clock import clock
from generation.hub.outbox import Outbox, close_all
from generation.outages import cause_of, database
from generation.protocol.close_codes import CloseCode
from generation.shutdown import cancel_and_wait

logger = logging.getLogger(__name__)

CHECK_EVERY = 5.0
"""Seconds after which a lost message about a change is noticed at the latest."""


class CredentialChecks:
    """Checks the connections of this process: all of them at an interval, and those of a user at
    once when a message says that its credentials or permissions changed.

    A check costs two queries for any number of connections, one more with MFA_STAFF, and one for
    each user that follows tasks of others.
    """

    def __init__(
        self,
        outboxes: Mapping[int, Collection[Outbox]],
        detach: Callable[[Outbox, str], None],
    ) -> None:
        self.outboxes = outboxes
        self.detach = detach
        self.changed: set[int] = set()
        """Ids of users that are to be checked at once."""
        self.running: asyncio.Task[None] | None = None

    def share_user(self, outbox: Outbox) -> None:
        """Let a new connection use the user and credential of an earlier one, if they are equal.

        Otherwise each would keep more than 1 KiB until the next check.
        """
        other = next(iter(self.outboxes.get(outbox.owner_id, ())), None)
        if other is None or other.holder is None or outbox.holder is None:
            return
        earlier, new = other.holder, outbox.holder
        if earlier.credential == new.credential and is_as_read(earlier.user, new.user):
            new.credential, new.user = earlier.credential, earlier.user

    def check_soon(self, owner_id: int) -> None:
        if owner_id not in self.outboxes:
            return
        self.changed.add(owner_id)
        if self.running is None or self.running.done():
            self.running = asyncio.create_task(self.check_changed(), name="credential check")

    async def check_changed(self) -> None:
        while self.changed:
            owners, self.changed = self.changed, set()
            try:
                await self.check(
                    chain.from_iterable(self.outboxes.get(each, ()) for each in owners)
                )
            except Exception as error:  # noqa: BLE001  checked again within CHECK_EVERY
                if not database.is_outage(error):
                    logger.warning("%s", log_line("credentials_unknown", cause=cause_of(error)))

    async def check_all(self) -> None:
        await self.check(chain.from_iterable(self.outboxes.values()))

    async def stop(self) -> None:
        running, self.running = self.running, None
        self.changed.clear()
        await cancel_and_wait(running)

    async def check(self, outboxes: Iterable[Outbox]) -> None:
        held = {outbox: outbox.holder for outbox in outboxes if outbox.holder is not None}
        if not held:
            return
        credentials = {holder.credential for holder in held.values()}
        users, refused = await database_sync_to_async(look_up)(credentials)
        await self.close_ended(held, users, refused)
        self.renew(held, users)
        await self.detach_invisible(held)

    async def close_ended(
        self,
        held: Mapping[Outbox, SignedIn],
        users: Mapping[HeldCredential, User | None],
        refused: Collection[int],
    ) -> None:
        codes = {
            outbox: code_for(users[holder.credential], refused) for outbox, holder in held.items()
        }
        ended = {outbox: code for outbox, code in codes.items() if code is not None}
        for outbox, code in ended.items():
            log_event(
                SecurityEvent.SESSION_ENDED,
                account=held[outbox].user.get_username(),
                address=held[outbox].address,
                code=int(code),
            )
        await close_all(outbox.close(code) for outbox, code in ended.items())

    def renew(
        self, held: Mapping[Outbox, SignedIn], users: Mapping[HeldCredential, User | None]
    ) -> None:
        """Give the connections users whose permissions have not been read yet."""
        for holder in held.values():
            if (user := users[holder.credential]) is not None:
                holder.user = user

    async def detach_invisible(self, held: Mapping[Outbox, SignedIn]) -> None:
        followers = defaultdict(list)
        for outbox, holder in held.items():
            if outbox.follows_others:
                followers[holder.user.pk].append(outbox)
        for outboxes in followers.values():
            user = held[outboxes[0]].user
            attached = {task_id for outbox in outboxes for task_id in outbox.cursors()}
            visible = await database_sync_to_async(selectors.visible_among)(attached, user)
            for outbox in outboxes:
                for task_id in set(outbox.cursors()) & attached - visible:
                    self.detach(outbox, task_id)


def is_as_read(user: User, newer: User) -> bool:
    """Whether `user` has the same row as `newer`, and no permissions that may be out of date."""
    names = [field.attname for field in User._meta.concrete_fields]
    has_equal_row = all(getattr(user, name) == getattr(newer, name) for name in names)
    return has_equal_row and not any(name.endswith("_perm_cache") for name in vars(user))


def look_up(
    credentials: Collection[HeldCredential],
) -> tuple[dict[HeldCredential, User | None], set[int]]:
    """The users of the credentials, and the ids of those that lack a second factor."""
    users = users_of(credentials, now=clock.now())
    return users, without_second_factor(user for user in users.values() if user is not None)


def code_for(user: User | None, refused: Collection[int]) -> CloseCode | None:
    """The code with which a connection of this user has to be closed."""
    if user is None:
        return CloseCode.NOT_SIGNED_IN
    return None if user.is_active and user.pk not in refused else CloseCode.REFUSED
