"""Signing in by name or confirmed e-mail address, at the old addresses too."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.test import Client

from tests.accounts.sign_in_attempts import GOOD, CountingHasher

pytestmark = pytest.mark.django_db


def try_once(login: str, password: str = GOOD) -> Any:
    return Client().post("/accounts/sign-in/", {"login": login, "password": password})


@pytest.fixture
def addresses(alice: User) -> None:
    EmailAddress.objects.create(user=alice, email="alice@example.org", verified=True)
    EmailAddress.objects.create(user=alice, email="new@example.org", verified=False)


@pytest.mark.parametrize(
    ("login", "status"),
    [
        ("alice", 302),
        ("alice@example.org", 302),
        ("Alice@Example.ORG", 302),
        ("new@example.org", 200),
        ("bob@example.org", 200),
        ("ALICE", 200),
    ],
)
def test_names_and_confirmed_addresses_sign_in(addresses: None, login: str, status: int) -> None:
    assert try_once(login).status_code == status


def test_a_name_that_is_an_address_belongs_to_its_confirmed_owner(addresses: None) -> None:
    User.objects.create_user("alice@example.org", password="a squatter's password")

    assert try_once("alice@example.org").status_code == 302
    assert try_once("alice@example.org", "a squatter's password").status_code == 200


def test_every_refusal_costs_one_hash(addresses: None) -> None:
    costs, errors = [], []
    for login in ("alice", "bob", "alice@example.org", "bob@example.org"):
        before = CountingHasher.hashed
        answer = try_once(login, "wrong")
        costs.append(CountingHasher.hashed - before)
        errors.append(answer.context["form"].errors)

    assert costs == [1] * 4
    assert all(each == errors[0] for each in errors)


def test_the_addresses_of_allauth_lead_to_ours(alice: User) -> None:
    assert Client().get("/accounts/login/?next=/gallery/")["Location"] == (
        "/accounts/sign-in/?next=/gallery/"
    )
    assert Client().post("/accounts/logout/")["Location"] == "/accounts/sign-out/"
    assert Client().get("/accounts/")["Location"] == "/accounts/sign-in/?next=/accounts/"


@pytest.mark.parametrize("away", ["https://evil.example/", "//evil.example/", "http://localhost/"])
def test_no_sign_in_leads_away(alice: User, away: str) -> None:
    form = {"login": "alice", "password": GOOD, "next": away}

    assert Client().post("/accounts/sign-in/", form)["Location"] == "/"


def test_allauth_limits_show_our_page(alice: User) -> None:
    client = Client(headers={"Accept-Language": "zh-hans"})
    client.force_login(alice)
    answers = [client.post("/accounts/reauthenticate/", {"password": GOOD}) for _each in range(11)]
    *confirmed, refused = answers

    assert {each.status_code for each in confirmed} == {302}
    assert refused.status_code == 429
    assert refused["Retry-After"] == "60"
    assert "studio/css/page-message." in refused.text
    assert 'lang="zh-hans"' in refused.text
