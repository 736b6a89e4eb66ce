"""Open connections end with their credentials, and show no more than the user may see."""

from __future__ import annotations

from datetime import datetime

import pytest
from allauth.usersessions.models import UserSession
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiToken, TokenScope
from generation import services
from generation.hub import hub
from tests.socket.signed_in_pages import is_open, page_of, signed_in
from tests.socket.sockets import OpenPage, Page, Visitor
from tests.socket.tokens import token_of


async def test_signing_out_closes_the_sockets_of_that_session(
    alice: User, visitor: Visitor
) -> None:
    phone, laptop = await signed_in(alice), await signed_in(alice)
    on_phone = [await page_of(phone, visitor) for _each in range(2)]
    on_laptop = await page_of(laptop, visitor)

    await sync_to_async(phone.post)("/accounts/sign-out/")

    assert [await page.close_code() for page in on_phone] == [4401, 4401]
    assert await is_open(on_laptop)


async def test_a_changed_password_closes_all_sockets_of_browsers(
    alice: User, visitor: Visitor, now: datetime
) -> None:
    page = await page_of(await signed_in(alice), visitor)
    program = await visitor(authorization=f"Bearer {await token_of(alice, now)}")
    await program.receive()

    alice.set_password("another one, long enough")
    await alice.asave()

    assert await page.close_code() == 4401
    assert await is_open(program)


async def test_a_requested_deletion_closes_sockets_of_programs(
    alice: User, visitor: Visitor, now: datetime
) -> None:
    page = await page_of(await signed_in(alice), visitor)
    program = await visitor(authorization=f"Bearer {await token_of(alice, now)}")
    await program.receive()

    await sync_to_async(services.request_deletion)(user=alice, now=now)

    assert await program.close_code() == 4401
    assert (await page.ask(action="generate", prompt="x"))["code"] == "account_leaving"
    assert await is_open(page)


async def test_a_page_reconnects_with_the_cookie_that_a_changed_password_gave_it(
    alice: User, visitor: Visitor
) -> None:
    alice.is_staff = True
    alice.set_password("before, long enough")
    await alice.asave()
    client = await signed_in(alice)
    page = await page_of(client, visitor)

    fields = {"oldpassword": "before, long enough"} | dict.fromkeys(
        ("password1", "password2"), "after that, long enough"
    )
    response = await sync_to_async(client.post)("/accounts/password/change/", fields)

    assert response.status_code == 302
    assert await page.close_code() == 4401
    assert await is_open(await page_of(client, visitor))


async def test_an_ended_session_closes_its_sockets(alice: User, visitor: Visitor) -> None:
    here, elsewhere = await signed_in(alice), await signed_in(alice)
    open_here, open_elsewhere = await page_of(here, visitor), await page_of(elsewhere, visitor)
    for client in (here, elsewhere):
        await sync_to_async(client.get)("/accounts/sessions/")
    session = await UserSession.objects.aget(session_key=elsewhere.session.session_key)

    await sync_to_async(here.post)("/accounts/sessions/", {"session": session.pk})

    assert await open_elsewhere.close_code() == 4401
    assert await is_open(open_here)


async def test_a_deleted_token_closes_its_sockets(
    alice: User, page: Page, visitor: Visitor, now: datetime
) -> None:
    deleted, kept = [
        await visitor(authorization=f"Bearer {await token_of(alice, now)}") for _each in range(2)
    ]
    for program in (deleted, kept):
        await program.receive()

    first = await ApiToken.objects.order_by("pk").afirst()
    assert first is not None
    await first.adelete()

    assert await deleted.close_code() == 4401
    assert await is_open(kept)
    assert await is_open(page)


@pytest.mark.parametrize(("change", "code"), [("disable", 4403), ("delete", 4401)])
async def test_an_account_that_ends_closes_all_its_sockets(
    alice: User, bob: User, open_page: OpenPage, change: str, code: int
) -> None:
    pages, other = [await open_page(), await open_page()], await open_page(bob)

    if change == "disable":
        alice.is_active = False
        await alice.asave()
    else:
        await alice.adelete()

    assert [await page.close_code() for page in pages] == [code, code]
    assert await is_open(other)


async def test_a_lost_message_is_healed_by_the_next_check(
    alice: User, bob: User, open_page: OpenPage, visitor: Visitor
) -> None:
    client = await signed_in(bob)
    disabled, ended, kept = (
        await open_page(alice),
        await page_of(client, visitor),
        await open_page(bob),
    )
    await User.objects.filter(pk=alice.pk).aupdate(is_active=False)
    await Session.objects.filter(session_key=client.session.session_key).adelete()

    await hub.credential_checks.check_all()

    assert await disabled.close_code() == 4403
    assert await ended.close_code() == 4401
    assert await is_open(kept)


async def test_an_expired_session_closes_its_sockets(page: Page, now: datetime) -> None:
    await Session.objects.aupdate(expire_date=now)

    await hub.credential_checks.check_all()

    assert await page.close_code() == 4401


async def test_a_check_costs_two_queries_for_any_number_of_connections(
    quiet_hub: None, alice: User, bob: User, open_page: OpenPage
) -> None:
    for user in (alice, bob):
        for _each in range(5):
            await open_page(user)

    captured = CaptureQueriesContext(connection)
    await sync_to_async(captured.__enter__)()
    await hub.credential_checks.check_all()
    await sync_to_async(captured.__exit__)(None, None, None)

    queries = await sync_to_async(lambda: captured.captured_queries)()
    texts = [query["sql"] for query in queries]
    # pages that were just opened may still read their limits
    assert len([text for text in texts if "django_session" in text]) == 1
    assert len([text for text in texts if text.startswith('SELECT "auth_user"."id"')]) == 1


def users_held(owner: User) -> list[int]:
    """The identity of each connection's instance of this owner."""
    return [id(outbox.holder.user) for outbox in hub.outboxes[owner.pk] if outbox.holder]


async def test_connections_of_one_session_keep_one_user(
    alice: User, quiet_hub: None, visitor: Visitor
) -> None:
    client = await signed_in(alice)
    _pages = [await page_of(client, visitor) for _each in range(3)]

    assert len(held := users_held(alice)) == 3
    assert len(set(held)) == 1


async def test_a_user_that_changed_is_not_shared(
    alice: User, quiet_hub: None, visitor: Visitor
) -> None:
    client = await signed_in(alice)
    _before = await page_of(client, visitor)
    # without a message
    await User.objects.filter(pk=alice.pk).aupdate(is_superuser=True)
    _after = await page_of(client, visitor)

    assert len(set(users_held(alice))) == 2


async def test_a_user_whose_permissions_were_read_is_not_shared(
    rita: User, bob: User, quiet_hub: None, open_page: OpenPage, visitor: Visitor
) -> None:
    client, other = await signed_in(rita), await open_page(bob)
    task_id = await other.generate()
    page = await page_of(client, visitor)
    assert (await page.ask(action="attach", task_id=task_id, after=0))["type"] == "live"
    _after = await page_of(client, visitor)

    assert len(set(users_held(rita))) == 2


async def test_an_expired_token_closes_its_sockets(
    alice: User, visitor: Visitor, now: datetime
) -> None:
    program = await visitor(authorization=f"Bearer {await token_of(alice, now)}")
    await program.receive()
    await ApiToken.objects.aupdate(expires_at=now)

    await hub.credential_checks.check_all()

    assert await program.close_code() == 4401


async def test_a_token_that_may_read_follows_and_changes_nothing(
    alice: User, page: Page, visitor: Visitor, now: datetime
) -> None:
    task_id = await page.generate()
    token = await token_of(alice, now, scope=TokenScope.READ)
    reader = await visitor(authorization=f"Bearer {token}")
    await reader.receive()

    assert (await reader.ask(action="attach", task_id=task_id, after=0))["type"] == "live"
    for message in (
        {"action": "generate", "prompt": "x"},
        {"action": "cancel", "task_id": task_id},
        {"action": "retry", "task_id": task_id},
    ):
        assert (await reader.ask(**message))["code"] == "scope_missing"
    assert await is_open(reader)


async def test_a_revoked_token_closes_its_connections_and_no_others(
    alice: User, page: Page, visitor: Visitor, now: datetime
) -> None:
    revoked, kept = [
        await visitor(authorization=f"Bearer {await token_of(alice, now)}") for _each in range(2)
    ]
    for program in (revoked, kept):
        await program.receive()
    first = await ApiToken.objects.order_by("pk").afirst()
    assert first is not None

    client = await signed_in(alice)
    await sync_to_async(client.post)(f"/accounts/programs/{first.pk}/revoke/")

    assert await revoked.close_code() == 4401
    assert await is_open(kept)
    assert await is_open(page)
