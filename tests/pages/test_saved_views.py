"""Named lists of staff: each has only their own, with filters that the list knows."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from generation import limits
from generation.models import SavedView
from tests.pages.page_clients import ADMIN_TASKS, signed_in

pytestmark = pytest.mark.django_db


def save(staff: Client, name: str, query: str) -> str:
    answer = staff.post(f"{ADMIN_TASKS}views/save/", {"name": name, "query": query}, follow=True)
    assert answer.status_code == 200
    return answer.text


def test_a_saved_view_is_a_link_above_the_list(staff: Client) -> None:
    query = "status__exact=failed&q=red umbrella&colour=red&p=3&owner="

    html = save(staff, " Failed  umbrellas", query)

    saved = "?q=red+umbrella&amp;status__exact=failed"
    assert f'<a href="{saved}" aria-current="page">Failed umbrellas</a>' in html
    other = staff.get(ADMIN_TASKS).text
    assert f'<a href="{saved}">Failed umbrellas</a>' in other
    assert '<a href="?" aria-current="page">All tasks</a>' in other
    assert "Delete this view" not in other
    save(staff, "Failed umbrellas", "attempts=several")
    assert SavedView.objects.get().query == "attempts=several"


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("", "attempts=several"),
        ("a\u202eb", "attempts=several"),
        ("n" * (limits.MAX_VIEW_NAME + 1), "attempts=several"),
        ("name", ""),
        ("name", "colour=red&p=2"),
        ("name", f"q={'w' * limits.MAX_VIEW_QUERY}"),
    ],
)
def test_other_names_and_filters_are_refused(staff: Client, name: str, query: str) -> None:
    html = save(staff, name, query)

    assert ("Give the view a name." in html) or ("Choose a filter before you save." in html)
    assert not SavedView.objects.exists()


def test_there_are_not_too_many(staff: Client) -> None:
    for number in range(limits.MAX_VIEWS):
        save(staff, str(number), "attempts=several")

    html = save(staff, "one more", "attempts=several")

    assert f"You have {limits.MAX_VIEWS} saved views." in html
    assert SavedView.objects.count() == limits.MAX_VIEWS


def test_views_belong_to_one_member_of_staff(staff: Client, rita: User, bob: User) -> None:
    save(staff, "mine", "attempts=several")
    view = SavedView.objects.get()
    bob.is_staff = True
    bob.save()
    bob.user_permissions.add(Permission.objects.get(codename="view_generationtask"))
    other = signed_in(bob, "en")

    assert "mine" not in other.get(ADMIN_TASKS, {"attempts": "several"}).text
    assert other.post(f"{ADMIN_TASKS}views/{view.pk}/delete/").status_code == 404
    assert staff.post(f"{ADMIN_TASKS}views/{view.pk}/delete/").status_code == 302
    assert not SavedView.objects.exists()


def test_without_the_permission_no_view_is_saved(bob: User) -> None:
    bob.is_staff = True
    bob.save()
    clerk = signed_in(bob)

    for path in ("views/save/", "views/1/delete/"):
        assert clerk.post(f"{ADMIN_TASKS}{path}", {"name": "a", "query": "q=b"}).status_code == 403
