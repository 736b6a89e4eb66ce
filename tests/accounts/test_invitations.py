"""Signing up: closed, by invitation, or open; with and without mail."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission, User
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import invitations
from accounts.models import Invitation
from tests.accounts.conftest import SignedIn
from tests.accounts.sign_in_attempts import GOOD

pytestmark = pytest.mark.django_db(transaction=True)
SIGN_UP = "/accounts/signup/"
NAME = "mei"
STRONG = "a long and good password"


def invite(**values: Any) -> str:
    """The address of a new invitation."""
    now = timezone.now()
    invitation = Invitation(**{"created": now, "expires_at": now + timedelta(days=1), **values})
    token = invitations.new_token(invitation)
    invitation.save()
    return f"/accounts/invite/{token}/"


def sign_up(link: str = "", name: str = NAME, **fields: str) -> Client:
    client = Client()
    if link:
        client.get(link)
    client.post(SIGN_UP, {"username": name, "password1": STRONG, **fields})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def names() -> set[str]:
    return set(User.objects.values_list("username", flat=True))


@pytest.mark.parametrize(
    ("setting", "invited", "makes"),
    [
        ("closed", False, False),
        ("closed", True, False),
        ("invite", False, False),
        ("invite", True, True),
        ("open", False, True),
        ("open", True, True),
    ],
)
def test_the_setting_decides(settings: Any, setting: str, invited: bool, makes: bool) -> None:
    settings.SIGNUP = setting
    client = sign_up(invite() if invited else "")

    assert (NAME in names()) is makes
    assert is_signed_in(client) is makes


def test_an_invitation_gives_its_group_and_its_address(settings: Any) -> None:
    settings.SIGNUP = "invite"
    painters = Group.objects.create(name="painters")
    link = invite(email="mei@example.org", group=painters, is_staff=True)
    assert is_signed_in(sign_up(link))

    mei = User.objects.get(username=NAME)
    assert list(mei.groups.all()) == [painters]
    assert mei.is_staff
    address = EmailAddress.objects.get(user=mei)
    assert (address.email, address.verified) == ("mei@example.org", True)
    used = Invitation.objects.get()
    assert (used.used_by, used.used_at is not None) == (mei, True)
    by_mail = {"login": "mei@example.org", "password": STRONG}
    assert Client().post("/accounts/sign-in/", by_mail).status_code == 302


def test_an_invitation_works_once_and_in_time(settings: Any) -> None:
    settings.SIGNUP = "invite"
    link = invite()
    late = Client()
    late.get(link)
    assert "password1" in late.get(SIGN_UP).text
    assert is_signed_in(sign_up(link))

    late.post(SIGN_UP, {"username": "late", "password1": STRONG})
    sign_up(link, name="again")
    sign_up(invite(expires_at=timezone.now() - timedelta(seconds=1)), name="older")
    sign_up("/accounts/invite/unknown/", name="guess")
    assert names() == {NAME}
    assert "<form" not in late.get(SIGN_UP).text.partition("<main")[2]


def test_of_many_at_once_one_uses_the_invitation(settings: Any) -> None:
    settings.SIGNUP = "invite"
    link = invite()
    clients = [Client() for _each in range(6)]
    for client in clients:
        client.get(link)

    def post(number: int) -> int:
        try:
            form = {"username": f"mei{number}", "password1": STRONG}
            return int(clients[number].post(SIGN_UP, form).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(clients)) as pool:
        codes = list(pool.map(post, range(len(clients))))
    assert set(codes) <= {200, 302}
    assert len(names()) == 1
    assert Invitation.objects.get().used_by == User.objects.get()


def test_names_that_differ_in_case_are_one_name(settings: Any, alice: User) -> None:
    settings.SIGNUP = "open"
    sign_up(name="ALICE")

    assert names() == {"alice"}


def test_with_mail_the_address_is_confirmed_first(
    settings: Any, alice: User, signed_in: SignedIn
) -> None:
    settings.SIGNUP = "open"
    settings.EMAIL_URL = "smtp://mail.example?from=a@mail.example"
    settings.SITE_URLS = ["https://studio.example/"]
    settings.ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"

    client = sign_up(email="mei@example.org")
    form = {"login": NAME, "password": STRONG}
    assert not is_signed_in(client)
    assert client.post("/accounts/sign-in/", form)["Location"] == "/accounts/confirm-email/"
    assert not is_signed_in(client)

    link = re.search(r"https://studio\.example(\S+)", str(mail.outbox[0].body))
    assert link, mail.outbox[0].body
    client.post(link[1])
    client.post("/accounts/sign-in/", form)
    assert is_signed_in(client)
    # accounts that staff created have no address and are not locked out
    assert is_signed_in(signed_in("alice"))


def make_in_admin(client: Client, **fields: str) -> Any:
    times = {"expires_at_0": "2100-01-01", "expires_at_1": "12:00"}
    return client.post("/admin/accounts/invitation/add/", {**times, **fields}, follow=True)


def test_staff_make_links_in_the_admin(settings: Any, signed_in: SignedIn) -> None:
    settings.SIGNUP = "invite"
    User.objects.create_superuser("root", password=GOOD)
    client = signed_in("root")
    page = make_in_admin(client, email="mei@example.org", is_staff="on")

    link = re.search(r"http://\S+/accounts/invite/[\w-]+/", page.text)
    assert link, page.text
    assert Invitation.objects.get().created_by == User.objects.get(username="root")
    assert "/accounts/invite/" not in client.get("/admin/accounts/invitation/").text
    sign_up(urlsplit(link[0]).path)
    assert User.objects.get(username=NAME).is_staff


def test_only_superusers_give_rights_away(settings: Any, signed_in: SignedIn) -> None:
    rita = User.objects.create_user("rita", password=GOOD, is_staff=True)
    rita.user_permissions.add(*Permission.objects.filter(content_type__model="invitation"))
    Group.objects.create(pk=7, name="operators")
    client = signed_in("rita")

    assert "is_staff" not in client.get("/admin/accounts/invitation/add/").text
    make_in_admin(client, is_staff="on", group="7")
    made = Invitation.objects.get()
    assert (made.is_staff, made.group) == (False, None)
