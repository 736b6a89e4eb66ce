"""Lists of the admin that grow with every task or decision count a bounded number of rows."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generation import services
from generation.admin.bounded_paginator import BoundedPaginator
from generation.choices import AuditAction
from generation.models import AuditEntry

pytestmark = pytest.mark.django_db

LISTS = ("auditentry", "review", "webhookattempt", "sharelink")


class ShortPaginator(BoundedPaginator):
    most = 3


@pytest.fixture
def entries(alice: User, now: datetime) -> None:
    for number in range(5):
        at = now + timedelta(seconds=number)
        services.record_action(actor=alice, action=AuditAction.PAUSED, now=at, address="::1")


@pytest.mark.parametrize("name", LISTS)
def test_no_list_counts_a_whole_table(name: str, admin_client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert admin_client.get(f"/admin/generation/{name}/").status_code == 200

    counts = [each["sql"] for each in queries if "COUNT(" in each["sql"]]
    table = f"generation_{name}"
    assert [sql for sql in counts if table in sql and "LIMIT 10001" not in sql] == []
    assert any(table in sql for sql in counts)


@pytest.mark.usefixtures("entries")
def test_pages_end_where_it_stops_to_count() -> None:
    pages = ShortPaginator(AuditEntry.objects.order_by("-created"), 2)

    assert (pages.count, pages.num_pages, pages.is_cut) == (3, 2, True)
    assert len(pages.page(1).object_list) == 2


@pytest.mark.usefixtures("entries")
def test_a_short_list_is_counted_to_its_end(admin_client: Client) -> None:
    assert not BoundedPaginator(AuditEntry.objects.order_by("-created"), 2).is_cut

    page = admin_client.get("/admin/generation/auditentry/").text
    assert page.partition('class="paginator"')[2].split()[1] == "5"
