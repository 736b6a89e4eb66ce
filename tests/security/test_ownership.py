"""Every address, for every role, answers as the table says."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from django.db import connection, connections
from django.test import override_settings
from django.urls import reverse

from tests.conftest import serve_model
from tests.security.ownership import (
    HELP,
    MCP,
    OIDC,
    ROLES,
    ROWS,
    SECURITY_PAGE,
    SOCKET,
    TRANSPORTS,
    Row,
    page_with_table,
)
from tests.security.walk import OF_THE_API, differences, outcome, routes, seen, send
from tests.security.world import World, create_world
from tests.studio import manage

MAY_NOT_KNOW = ("other", "staff")
"""Roles to which ids of the owner must look like ids of nothing."""

WITHOUT_SECOND_FACTOR = {
    "healthz",
    "readyz",
    "metrics",
    "i18n/setlang/",
    "i18n/catalog.js",
    "accounts/theme/",
    "accounts/sign-in/",
    "accounts/sign-out/",
    "accounts/2fa/",
    "accounts/2fa/totp/activate/",
    "accounts/2fa/webauthn/",
    "accounts/2fa/webauthn/add/",
    "accounts/reauthenticate/",
    "accounts/reauthenticate/code/",
    "accounts/reauthenticate/code/confirm/",
    "accounts/password/change/",
    "accounts/password/set/",
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
    "accounts/password/reset/key/done/",
    "accounts/confirm-email/",
    r"accounts/^confirm-email/(?P<key>[-:\w]+)/$",
}
"""What staff may use until it has one, if MFA_STAFF demands that."""


def rows_of(method: str, address: str, rows: Sequence[Row] = ROWS) -> list[Row]:
    """The rows that describe a route: those of its own pattern, or the first that fits."""
    exact = [row for row in rows if row.address == address and method in ("", row.method)]
    if exact:
        return exact
    return [row for row in rows if "*" in row.address and fnmatchcase(address, row.address)][:1]


ROUTES = sorted(routes())
PRINT_ROUTES = "import json; from tests.security.walk import routes; print(json.dumps([*routes()]))"
CASES = [
    (row, address)
    for method, address in ROUTES
    for row in rows_of(method, address)
    if row not in TRANSPORTS
]
GROUPS = {
    "pages": [case for case in CASES if not case[1].startswith(("admin/", "accounts/"))],
    "accounts": [case for case in CASES if case[1].startswith("accounts/")],
    "admin": [case for case in CASES if case[1].startswith("admin/")],
}


@pytest.fixture
def world(db: None, media: Path, now: datetime, monkeypatch: pytest.MonkeyPatch) -> World:
    # requests would close the connection, and with it the transaction of the test
    connection = connections["default"]
    monkeypatch.setitem(connection.settings_dict, "AUTOCOMMIT", False)
    monkeypatch.setattr(connection, "close_at", None)
    serve_model(now=now)
    return create_world(now)


def test_every_address_has_a_row() -> None:
    missing = [f"{method} {address}" for method, address in ROUTES if not rows_of(method, address)]

    assert not missing, "\n".join([*missing, HELP])


def test_every_address_with_a_provider_has_a_row() -> None:
    env = {
        "OIDC_SERVER": "https://provider.example",
        "OIDC_CLIENT_ID": "studio",
        "OIDC_CLIENT_SECRET": "secret",
    }
    found = json.loads(manage(os.environ | env, "shell", "-v", "0", "-c", PRINT_ROUTES))
    with_provider = {(method, address) for method, address in found} - set(ROUTES)

    rows = {route: rows_of(*route, (*OIDC, *ROWS)) for route in with_provider}
    missing = [" ".join(route) for route, described in rows.items() if not described]
    assert not missing, "\n".join([*missing, HELP])
    assert {row.address for described in rows.values() for row in described} >= {
        row.address for row in OIDC
    }


def test_every_row_has_an_address() -> None:
    used = {row.address for method, address in ROUTES for row in rows_of(method, address)}

    named = [row.address for row in ROWS if row not in SOCKET and row not in MCP]
    assert set(named) <= used


@pytest.mark.parametrize("group", GROUPS)
def test_every_role_gets_what_the_table_says(world: World, group: str) -> None:
    wrong = []
    for (row, address), roles in zip(GROUPS[group], roles_to_walk(GROUPS[group]), strict=True):
        if address == "readyz" and connection.vendor == "sqlite":
            # the transaction of this test holds the only write lock, which the check needs
            continue
        got = {role: outcome(send(row, address, role, world, world.names)) for role in roles}
        wrong += differences(row, got)

    assert not wrong, "\n".join([*wrong, HELP])


def roles_to_walk(cases: list[tuple[Row, str]]) -> Iterator[tuple[str, ...]]:
    """All roles for each row; for more addresses of the same pattern the strongest of each kind."""
    walked: set[int] = set()
    for row, _address in cases:
        yield ("other", "operator", "superuser") if id(row) in walked else ROLES
        walked.add(id(row))


def test_what_belongs_to_another_user_looks_like_a_missing_one(world: World) -> None:
    differing = []
    for row, address in CASES:
        if not row.names_something(address):
            continue
        for role in MAY_NOT_KNOW:
            theirs, nothing = [
                seen(send(row, address, role, world, names))
                for names in (world.names, world.unknown())
            ]
            differing += [
                f"{row.method} {row.path or address}, {role}: {there!r} and {here!r}"
                for there, here in zip(theirs, nothing, strict=True)
                if there != here
            ]

    assert not differing, "\n".join(differing)


@override_settings(MFA_STAFF=True)
def test_staff_without_a_second_factor_gets_only_what_adds_one(world: World) -> None:
    to_factors = reverse("mfa_index")
    pages = [case for group in GROUPS.values() for case in group if not OF_THE_API.match(case[1])]
    allowed = {
        address
        for row, address in pages
        if send(row, address, "superuser", world, world.names).headers.get("Location") != to_factors
    }

    assert allowed == WITHOUT_SECOND_FACTOR


def test_the_security_page_has_the_table() -> None:
    page = SECURITY_PAGE.read_text(encoding="utf-8")

    assert page_with_table(page) == page, "Run `python -m tests.security.ownership`."
