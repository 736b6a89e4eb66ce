"""The task list of the admin: searches, filters, days, and how far it is read."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generation import services
from generation.admin.period_filter import MAX_SCANNED_TASKS
from generation.choices import TaskStatus
from generation.models import GenerationTask
from tests.factories import submit
from tests.pages.page_clients import ADMIN_TASKS
from tests.query_plans import analyze, plan_of
from tests.rows import copy_task

pytestmark = pytest.mark.django_db


def link_to(words: str, html: str) -> str:
    """Address of the link with these words; empty if there is none."""
    found = re.search(rf'<a href="([^"]*)"[^>]*>{words}</a>', html)
    return f"{ADMIN_TASKS}{unescape(found[1])}" if found else ""


def older_of(html: str) -> str:
    return link_to("Search older tasks", html)


def test_staff_find_tasks_by_filters(alice: User, bob: User, staff: Client, now: datetime) -> None:
    submit(alice, now, prompt="willow by the lake")
    submit(bob, now, prompt="red umbrella")

    assert "willow" in staff.get(ADMIN_TASKS, {"q": "lake"}).text
    assert "umbrella" not in staff.get(ADMIN_TASKS, {"q": "lake"}).text
    assert "umbrella" in staff.get(ADMIN_TASKS, {"q": "bob"}).text
    assert "0 generation tasks" in staff.get(ADMIN_TASKS, {"status__exact": "failed"}).text


def test_a_user_name_searches_owners(alice: User, bob: User, staff: Client, now: datetime) -> None:
    submit(alice, now, prompt="willow for bob")
    submit(bob, now, prompt="red umbrella")
    submit(bob, now, prompt="old willow")

    def found(text: str) -> list[str]:
        return [
            task.prompt for task in staff.get(ADMIN_TASKS, {"q": text}).context["cl"].result_list
        ]

    assert sorted(found("bob")) == ["old willow", "red umbrella"]
    assert found("WILLOW bob") == ["old willow"]
    assert found('"bob"') == ["willow for bob"]
    assert found("alice umbrella") == []
    assert "Tasks of bob." in staff.get(ADMIN_TASKS, {"q": "bob"}).text


@pytest.fixture
def eleven_thousand(alice: User, now: datetime) -> list[GenerationTask]:
    """Finished tasks, one a second, newest first; the very first has the only heron."""
    first = submit(alice, now)
    GenerationTask.objects.filter(pk=first.pk).update(
        status=TaskStatus.COMPLETED, progress=100, finished_at=now
    )
    tasks = copy_task(first, 10_999)
    GenerationTask.objects.filter(pk=tasks[-1].pk).update(
        prompt="a heron, 柳林", search_text="a heron, 柳林"
    )
    return tasks


def test_a_long_list_shows_its_edge(staff: Client, eleven_thousand: list[GenerationTask]) -> None:
    heron = eleven_thousand[-1]

    page = staff.get(ADMIN_TASKS, {"error_code": "model_error"})
    assert page.context["cl"].result_count == 0
    edge = timezone.localtime(eleven_thousand[MAX_SCANNED_TASKS - 2].created)
    assert f"Searching the newest 10,000 tasks: back to {edge:%Y-%m-%d %H:%M}." in page.text
    older = staff.get(older_of(page.text))

    assert older_of(older.text) == ""
    assert '<option value="model_error" selected>' in older.text
    newest = staff.get(ADMIN_TASKS, {"p": "3"})
    assert newest.context["cl"].result_count == MAX_SCANNED_TASKS
    rest = staff.get(older_of(newest.text)).context["cl"]
    assert rest.page_num == 1
    assert rest.result_count == 11_000 - MAX_SCANNED_TASKS
    assert staff.get(ADMIN_TASKS, {"q": str(heron.pk)}).context["cl"].result_count == 1


def test_rare_words_are_found_whatever_the_age(
    staff: Client, eleven_thousand: list[GenerationTask]
) -> None:
    old = eleven_thousand[-1]

    for words in ("heron", "ero", "柳林", "柳", "HERON 柳", "heron alice"):
        found = staff.get(ADMIN_TASKS, {"q": words}).context["cl"]
        assert [task.pk for task in found.result_list] == [old.pk], words
        assert found.period.since is None
    failed = staff.get(ADMIN_TASKS, {"q": "heron", "status__exact": "failed"}).context["cl"]
    assert failed.result_count == 0
    frequent = staff.get(ADMIN_TASKS, {"q": "LiuJuan"}).context["cl"]
    assert frequent.period.since is not None
    assert frequent.result_count == MAX_SCANNED_TASKS


def test_unfinished_and_deleted_tasks_are_found(
    alice: User, staff: Client, now: datetime, eleven_thousand: list[GenerationTask]
) -> None:
    stuck = submit(alice, now - timedelta(days=90))
    old = eleven_thousand[-1]
    services.move_to_trash(owner=alice, pictures=[], tasks=[old.pk], now=now)

    waiting = staff.get(ADMIN_TASKS, {"status__exact": "queued"}).context["cl"]
    deleted = staff.get(ADMIN_TASKS, {"deleted_at__isempty": "0"}).context["cl"]

    assert stuck in list(waiting.result_list)
    assert waiting.period.since is None
    assert [task.pk for task in deleted.result_list] == [old.pk]


@pytest.mark.parametrize("until", ["soon", "2026-02-31", "9999-12-31", "0001-01-01T00:00+14:00"])
def test_an_invalid_day_is_ignored(alice: User, staff: Client, now: datetime, until: str) -> None:
    submit(alice, now)

    assert staff.get(ADMIN_TASKS, {"until": until}).context["cl"].result_count == 1


def test_a_day_is_looked_through_up_to_its_end(alice: User, staff: Client, now: datetime) -> None:
    submit(alice, now, prompt="willow")
    submit(alice, now - timedelta(days=3), prompt="umbrella")
    day = timezone.localtime(now - timedelta(days=3)).date().isoformat()

    page = staff.get(ADMIN_TASKS, {"until": day})

    assert [task.prompt for task in page.context["cl"].result_list] == ["umbrella"]
    assert f'name="until" value="{day}"' in page.text
    assert "willow" in staff.get(link_to("Back to the newest", page.text)).text


BOUNDED: list[dict[str, str]] = [
    {},
    {"status__exact": "failed"},
    {"q": "heron"},
    {"q": "LiuJuan"},
    {"q": "heron", "error_code": "model_error", "step__exact": "decoding", "model": "m"},
    {"deleted_at__isempty": "0"},
    {"status__exact": "queued"},
    {"o": "-7"},
]


def test_no_list_reads_the_whole_table(
    alice: User, staff: Client, now: datetime, eleven_thousand: list[GenerationTask]
) -> None:
    services.move_to_trash(owner=alice, pictures=[], tasks=[eleven_thousand[500].pk], now=now)
    analyze("generation_generationtask")

    for query in BOUNDED:
        with CaptureQueriesContext(connection) as captured:
            staff.get(ADMIN_TASKS, query)

        read = [
            q["sql"] for q in captured.captured_queries if '"generation_generationt' in q["sql"]
        ]
        assert read
        for sql in read:
            plan = plan_of(sql)
            assert "Seq Scan on generation_generationtask" not in plan, (query, plan)
            # to find how far to look it walks so far in the index alone
            walks = "OFFSET" in sql and "COVERING INDEX tasks_newest_first" in plan
            assert walks or "SCAN generation_generationtask" not in plan, (query, plan)
            assert "SCAN task" not in plan, (query, plan)


def test_staff_find_what_an_owner_deleted(alice: User, staff: Client, now: datetime) -> None:
    deleted, kept = submit(alice, now, prompt="willow"), submit(alice, now, prompt="umbrella")
    services.request_cancel(task_id=deleted.pk, now=now)
    services.move_to_trash(owner=alice, pictures=[], tasks=[deleted.pk], now=now)

    assert "willow" in staff.get(ADMIN_TASKS).text
    found = staff.get(ADMIN_TASKS, {"deleted_at__isempty": "0"}).text
    assert "willow" in found
    assert kept.prompt not in found
    assert staff.get(f"{ADMIN_TASKS}{deleted.pk}/change/").status_code == 200
