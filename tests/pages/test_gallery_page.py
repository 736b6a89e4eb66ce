"""The gallery: filters, search and pagination."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation import selectors, services
from generation.models import GenerationTask
from generation.selectors import GalleryFilter
from generation.selectors.gallery import MAX_SCANNED, write_cursor
from tests.conftest import serve_model
from tests.factories import finished_task, picture_key, submit
from tests.pages.page_clients import signed_in
from tests.query_plans import count_queries
from tests.rows import copies, copy_task

pytestmark = pytest.mark.django_db


def keys_in(html: str) -> list[str]:
    return re.findall(r'data-picture-key="([^"]+)"', html)


def found(client: Client, **query: Any) -> list[str]:
    return keys_in(client.get("/gallery/", query).text)


def pages(owner: User, wanted: GalleryFilter | None = None) -> Iterator[list[str]]:
    """Page after page: the tasks on it."""
    before: str | None = None
    while True:
        page = selectors.gallery_page(owner, wanted or GalleryFilter(), before)
        yield [item["task"] for item in page["items"]]
        before = page["next"]
        if before is None:
            return


def test_own_pictures_newest_first(media: Path, alice: User, bob: User, now: datetime) -> None:
    finished_task(bob, now)
    older = finished_task(alice, now - timedelta(hours=2), pictures=2)
    failed = finished_task(alice, now - timedelta(hours=1), pictures=0, status="failed")
    waiting = submit(alice, now)

    page = selectors.gallery_page(alice, GalleryFilter(), None)

    assert [(item["kind"], item["task"]) for item in page["items"]] == [
        ("task", str(waiting.pk)),
        ("task", str(failed.pk)),
        ("picture", str(older.pk)),
        ("picture", str(older.pk)),
    ]
    assert page["next"] is None


def test_search_needs_every_word(media: Path, alice: User, now: datetime) -> None:
    serve_model(now=now, name="Ink-XL")
    willow = finished_task(alice, now, prompt="Willow by the lake", seed=4321, pictures=2)
    lake = finished_task(alice, now, prompt="100% 湖_心 lake", model="Ink-XL")
    client = signed_in(alice)

    assert found(client, q="LAKE willow") == [picture_key(willow, 1), picture_key(willow, 2)]
    assert found(client, q="湖_心") == [picture_key(lake)]
    assert found(client, q="100%") == [picture_key(lake)]
    assert found(client, q="%") == [picture_key(lake)]
    assert found(client, q="4322") == [picture_key(willow, 2)]
    assert found(client, q="willow 4321") == [picture_key(willow, 1)]
    assert found(client, q="ink-xl") == [picture_key(lake)]
    assert found(client, q="willow ink") == []
    assert set(found(client, q="  ")) == {
        picture_key(willow, 1),
        picture_key(willow, 2),
        picture_key(lake),
    }


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("Кошка на окне", "кошка"),
        ("ÄPFEL im Korb", "äpfel"),
        ("STRASSE", "straße"),
        ("café at dawn", "cafe\u0301"),
        ("cafe\u0301 at dawn", "CAFÉ"),
        ("ＬｉｕＪｕａｎ　柳岸", "liujuan 柳岸"),
        ("ﬁne ink", "FINE"),
        ("wil\u200blow", "willow"),
        ("willow", "wil\u00adlow"),
        ("한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8"),
        ("İstanbul", "İSTANBUL"),
    ],
)
def test_search_folds_case_and_form(alice: User, now: datetime, prompt: str, words: str) -> None:
    task = submit(alice, now, prompt=prompt)
    submit(alice, now, prompt="something else")

    page = selectors.gallery_page(alice, GalleryFilter(text=words), None)

    assert [item["task"] for item in page["items"]] == [str(task.pk)]


def test_filters_narrow_and_add_up(media: Path, alice: User, now: datetime) -> None:
    serve_model(now=now, name="Ink-XL")
    old = finished_task(alice, now - timedelta(days=10))
    ink = finished_task(alice, now, model="Ink-XL", pictures=2)
    half = finished_task(alice, now, status="failed", pictures=1, n=2)
    services.set_favourite(owner=alice, pictures=[(ink.pk, 2), (old.pk, 1)], favourite=True)
    client = signed_in(alice)

    assert found(client, favourite="1") == [picture_key(ink, 2), picture_key(old)]
    assert found(client, favourite="1", days="7") == [picture_key(ink, 2)]
    assert found(client, favourite="1", model="Ink-XL", days="30") == [picture_key(ink, 2)]
    assert found(client, status="failed") == [picture_key(half)]
    assert set(found(client, status="completed", days="1")) == {
        picture_key(ink, 1),
        picture_key(ink, 2),
    }
    assert found(client, model="unheard-of") == []


def test_running_includes_unfinished_tasks(media: Path, alice: User, now: datetime) -> None:
    finished_task(alice, now)
    under_way = submit(alice, now, n=2)

    page = selectors.gallery_page(alice, GalleryFilter(status="running"), None)

    assert [item["task"] for item in page["items"]] == [str(under_way.pk)]


@pytest.mark.parametrize(
    "query",
    [
        {"status": "everything"},
        {"days": "0"},
        {"days": "-1"},
        {"days": "9" * 40},
        {"favourite": "yes"},
        {"before": "not a cursor"},
        {"before": "%%%"},
        {"before": "////"},
        {"before": base64.urlsafe_b64encode(b"9" * 60 + b":7f1c1c1e-0d7a-4a53-9f0e-2f8b6d1f6a11")},
        {"before": base64.urlsafe_b64encode(b"\xff\xfe")},
        {"before": base64.urlsafe_b64encode("1:２".encode())},
        {"fragment": "2"},
        {"page": "7", "q": ""},
    ],
)
def test_a_parameter_that_cannot_be_used_counts_as_not_given(
    media: Path, alice: User, now: datetime, query: dict[str, Any]
) -> None:
    task = finished_task(alice, now)

    assert found(signed_in(alice), **query) == [picture_key(task)]


@pytest.mark.parametrize("q", ["x" * 100_000, "a " * 5_000, "9" * 400, "4294967296", "²", "١٢"])
def test_no_search_is_too_much(media: Path, alice: User, now: datetime, q: str) -> None:
    finished_task(alice, now)

    assert signed_in(alice).get("/gallery/", {"q": q}).status_code == 200


def test_bytes_that_are_no_text_are_survived(alice: User) -> None:
    client = signed_in(alice)

    assert client.get("/gallery/?q=%ff%fe&model=%ed%a0%80&before=%00").status_code == 200
    assert client.get("/compare/?picture=%ff").status_code == 404
    assert client.get("/?from=%ff%00").status_code == 200


def test_pages_have_no_gap_at_equal_times(alice: User, now: datetime) -> None:
    first = submit(alice, now)
    moments = [now - timedelta(seconds=second) for second in (0, 0, 0, 1)]
    copies(first, [{"created": moment} for moment in moments] * 50)

    read = list(pages(alice))

    assert [len(page) for page in read] == [60, 60, 60, 21]
    everything = [task for page in read for task in page]
    assert everything == [str(each.pk) for each in GenerationTask.objects.newest_first()]


def test_a_bounded_search_continues_where_it_ended(alice: User, now: datetime) -> None:
    first = submit(alice, now)
    tasks = copy_task(first, MAX_SCANNED + 9)
    herons = GenerationTask.objects.filter(pk__in=[tasks[2].pk, tasks[-1].pk])
    herons.update(search_text=f"a heron\n{first.model.casefold()}")
    wanted = GalleryFilter(text="heron")
    client = signed_in(alice, "en")

    assert list(pages(alice, wanted)) == [[str(tasks[2].pk)], [str(tasks[-1].pk)]]
    every = [task for page in pages(alice, GalleryFilter(text="LiuJuan")) for task in page]
    assert len(every) == len(set(every)) == MAX_SCANNED + 10
    html = client.get("/gallery/", {"q": "heron"}).text
    assert "Searched back to" in html
    unknown = client.get("/gallery/", {"q": "ostrich", "fragment": "1"}).text
    assert "Nothing matches" not in unknown
    after = selectors.gallery_page(alice, GalleryFilter(text="ostrich"), None)["next"]
    assert after is not None
    last = client.get("/gallery/", {"q": "ostrich", "before": after, "fragment": "1"}).text
    assert "Nothing matches" in last


def test_pages_are_stable_under_changes(media: Path, alice: User, now: datetime) -> None:
    tasks = [finished_task(alice, now - timedelta(minutes=k), pictures=0) for k in range(70)]
    reading = pages(alice)
    seen = next(reading)

    submit(alice, now + timedelta(seconds=1))
    services.move_to_trash(
        owner=alice, pictures=[], tasks=[tasks[0].pk, tasks[59].pk, tasks[60].pk], now=now
    )

    rest = [task for page in reading for task in page]
    assert seen == [str(task.pk) for task in tasks[:60]]
    assert rest == [str(task.pk) for task in tasks[61:]]


def test_filters_hide_unfinished_tasks(media: Path, alice: User, now: datetime) -> None:
    task = finished_task(alice, now, pictures=2, seed=4321)
    running = {"status": "running", "progress": 50, "finished_at": None}
    GenerationTask.objects.filter(pk=task.pk).update(**running)
    services.set_favourite(owner=alice, pictures=[(task.pk, 1)], favourite=True)

    def kinds(**wanted: Any) -> list[str]:
        page = selectors.gallery_page(alice, GalleryFilter(**wanted), None)
        return [item["kind"] for item in page["items"]]

    assert kinds() == ["task", "picture", "picture"]
    assert kinds(text=task.prompt) == ["task", "picture", "picture"]
    assert kinds(favourite=True) == ["picture"]
    assert kinds(text="4322") == ["picture"]


def test_no_empty_notice_below_results(media: Path, alice: User, now: datetime) -> None:
    task = finished_task(alice, now)
    client = signed_in(alice, "en")
    last = write_cursor((task.created, task.pk))
    nothing = "Nothing matches"

    assert nothing in client.get("/gallery/", {"q": "unheard-of"}).text
    assert nothing in client.get("/gallery/", {"q": "unheard-of", "fragment": "1"}).text
    assert nothing not in client.get("/gallery/", {"before": last, "fragment": "1"}).text


def test_the_fragment_is_the_items_alone(media: Path, alice: User, now: datetime) -> None:
    task = finished_task(alice, now)

    html = signed_in(alice).get("/gallery/?fragment=1").text

    assert keys_in(html) == [picture_key(task)]
    assert "<html" not in html


def test_anonymous_requests() -> None:
    assert Client().get("/gallery/?q=a")["Location"] == "/accounts/sign-in/?next=/gallery/%3Fq%3Da"
    assert Client().get("/gallery/?fragment=1").status_code == 403
    assert Client().get("/compare/").status_code == 302


def test_queries_do_not_grow_with_tasks(media: Path, alice: User, now: datetime) -> None:
    page = partial(signed_in(alice).get, "/gallery/", {"q": "LiuJuan", "favourite": "0"})
    finished_task(alice, now)
    few = count_queries(page)
    for _each in range(59):
        finished_task(alice, now, pictures=2)

    assert count_queries(page) == few
