"""The filters of the staff's list of tasks, and its pictures."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from generation import services
from generation.choices import ReviewState
from generation.models import GeneratedImage, GenerationTask
from tests.factories import finished_task, submit
from tests.pages.page_clients import ADMIN_TASKS

pytestmark = pytest.mark.django_db


def found(staff: Client, **query: str) -> list[str]:
    page = staff.get(ADMIN_TASKS, query)
    assert page.status_code == 200
    return [task.prompt for task in page.context["cl"].result_list]


def test_filters_select_tasks(alice: User, bob: User, staff: Client, now: datetime) -> None:
    day = timedelta(days=1)
    willow, crane, lotus = (
        finished_task(owner, now, prompt=prompt)
        for owner, prompt in ((alice, "willow"), (alice, "crane"), (bob, "lotus"))
    )
    GeneratedImage.objects.filter(task=crane).update(review_state=ReviewState.FLAGGED)
    for task, values in (
        (willow, {"attempt": 2, "created": now - 2 * day, "run_seconds": 1.0}),
        (crane, {"attempt": 1, "wait_seconds": 61.0, "created": now - day, "run_seconds": 14.0}),
        (lotus, {"attempt": 1, "wait_seconds": 1.0, "run_seconds": 12.0}),
    ):
        expected = {"loading": 1.0, "generating": 3.0, "decoding": 2.0}
        rows = GenerationTask.objects.filter(pk=task.pk)
        rows.update(expected_durations=expected, image_count=1, **values)
    since = timezone.localtime(now - day).date().isoformat()

    assert found(staff, review="flagged") == ["crane"]
    assert found(staff, review="unreviewed") == ["lotus", "willow"]
    assert found(staff, attempts="several") == ["willow"]
    assert found(staff, slow="wait") == ["crane"]
    # twice the six seconds that were expected, and two more
    assert found(staff, slow="run") == []
    GenerationTask.objects.filter(pk=crane.pk).update(run_seconds=14.1)
    assert found(staff, slow="run") == ["crane"]
    assert found(staff, owner="bob") == ["lotus"]
    assert found(staff, owner="bob", q="crane") == []
    assert found(staff, owner="nobody-here") == []
    assert found(staff, since=since) == ["lotus", "crane"]
    assert found(staff, since=since, until=since) == ["crane"]
    assert found(staff, since="soon") == ["lotus", "crane", "willow"]


def test_filters_that_were_not_chosen_leave_the_address(staff: Client) -> None:
    sent = {"q": "", "status__exact": "failed", "owner": "", "since": ""}

    answer = staff.get(ADMIN_TASKS, sent)

    assert (answer.status_code, answer["Location"]) == (302, f"{ADMIN_TASKS}?status__exact=failed")


def test_a_chosen_filter_stays_chosen(staff: Client) -> None:
    html = staff.get(ADMIN_TASKS, {"review": "hidden", "owner": "bob", "o": "-3"}).text

    assert '<option value="hidden" selected>' in html
    assert re.search(r'name="owner" value="bob"\s+data-chosen', html)
    assert 'name="o" value="-3"' in html
    assert 'href="?">Clear all filters</a>' in html


def test_each_task_has_its_first_picture(alice: User, staff: Client, now: datetime) -> None:
    """Staff see what the owner has deleted, and what reviewers have hidden."""
    several = finished_task(alice, now, pictures=3)
    hidden = finished_task(alice, now)
    waiting = submit(alice, now)
    services.move_to_trash(owner=alice, pictures=[(several.pk, 1)], tasks=[], now=now)
    GeneratedImage.objects.filter(task=hidden).update(
        review_state=ReviewState.HIDDEN, withheld=True
    )

    html = staff.get(ADMIN_TASKS).text

    for task, index, times in ((several, 1, 1), (several, 2, 0), (hidden, 1, 1), (waiting, 1, 0)):
        assert html.count(f'src="/pictures/{task.pk}/{index}/thumbnail/"') == times
    assert html.count("No picture") == 1
    assert "Hidden" in html


VALUES = ["a\0b", "\ud800", "%_'\"\\", "9" * 3_000, "'", '"', " "]


def test_no_value_of_a_filter_is_an_error(alice: User, staff: Client, now: datetime) -> None:
    submit(alice, now)

    for value in VALUES:
        encoded = quote(value, errors="surrogatepass")
        for name in ("q", "owner", "since", "until", "review"):
            query = f"{name}={encoded}"
            assert staff.get(f"{ADMIN_TASKS}?{query}").status_code in (200, 302), query
        assert staff.post(f"{ADMIN_TASKS}?model={encoded}").status_code in (200, 302)
    exported = staff.post(f"{ADMIN_TASKS}export/csv/?owner=a%00b")
    assert exported.status_code == 200
