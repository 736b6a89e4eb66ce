"""A user that may see less is shown no more: tasks are detached, connections end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission, User

from generation.hub import hub
from tests.socket.signed_in_pages import eventually, page_of, signed_in
from tests.socket.sockets import OpenPage, Page, Visitor
from tests.socket.tokens import token_of

VIEW = "view_generationtask"
GROUP = "viewers"
"""Beside those that a migration may have made."""


async def take_own_permission(rita: User) -> None:
    permission = await Permission.objects.aget(codename=VIEW)
    await rita.user_permissions.aremove(permission)


async def leave_the_group(rita: User) -> None:
    group = await Group.objects.aget(name=GROUP)
    await group.user_set.aremove(rita)


async def take_the_groups_permission(rita: User) -> None:
    group = await Group.objects.aget(name=GROUP)
    await group.permissions.aclear()


async def demote(rita: User) -> None:
    rita.is_superuser = False
    await rita.asave()


@pytest.mark.parametrize(
    "lose", [take_own_permission, leave_the_group, take_the_groups_permission, demote]
)
async def test_a_lost_permission_detaches_what_it_showed(
    rita: User, page: Page, open_page: OpenPage, lose: Callable[[User], object]
) -> None:
    permission = await Permission.objects.aget(codename=VIEW)
    if lose is not take_own_permission:
        await rita.user_permissions.aclear()
    if lose is demote:
        rita.is_superuser = True
        await rita.asave()
    elif lose is not take_own_permission:
        group = await Group.objects.acreate(name=GROUP)
        await group.permissions.aadd(permission)
        await rita.groups.aadd(group)
    task_id = await page.generate()
    reviewer = await open_page(rita)
    own = await reviewer.generate("mine")
    await reviewer.send(action="attach", task_id=task_id, after=0)
    await reviewer.until("live")

    await lose(rita)  # type: ignore[misc]
    (outbox,) = hub.outboxes[rita.pk]
    await eventually(lambda: not outbox.is_attached(task_id))

    refused = await reviewer.ask(action="attach", task_id=task_id, after=0)
    assert refused["code"] == "not_found"
    assert outbox.is_attached(own)


async def test_staff_that_loses_its_second_factor_is_disconnected(
    rita: User, visitor: Visitor, now: datetime, settings: Any
) -> None:
    settings.MFA_STAFF = True
    factor = await Authenticator.objects.acreate(user=rita, type=Authenticator.Type.TOTP, data={})
    by_cookie = await page_of(await signed_in(rita), visitor)
    by_token = await visitor(authorization=f"Bearer {await token_of(rita, now)}")
    assert (await by_token.receive())["type"] == "hello"

    await factor.adelete()

    assert [await page.close_code() for page in (by_cookie, by_token)] == [4403, 4403]


async def test_a_user_that_becomes_staff_without_a_second_factor_is_disconnected(
    alice: User, page: Page, settings: Any
) -> None:
    settings.MFA_STAFF = True
    alice.is_staff = True
    await alice.asave()

    assert await page.close_code() == 4403
