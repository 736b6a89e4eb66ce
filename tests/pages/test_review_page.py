"""The review page: who gets it, what it shows, and what it stores."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from generation.models import (
    Appeal,
    GeneratedImage,
    GenerationTask,
    Review,
    ReviewClaim,
    ReviewReason,
)
from generation.selectors import review_counts
from generation.selectors.installation_totals import installation_totals
from generation.views.review_page import summary_of
from tests.factories import put_in_trash
from tests.query_plans import analyze, plan_of
from tests.reviewing import decide, make_reviewer, picture_of
from tests.rows import copy_picture, copy_task

pytestmark = pytest.mark.usefixtures("media")
DESK = "/admin/review/"


@pytest.fixture
def renu(db: None) -> User:
    return make_reviewer("renu")


@pytest.fixture
def desk(client: Client, renu: User) -> Client:
    client.force_login(renu)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def image(alice: User, media: Path, now: datetime) -> GeneratedImage:
    return picture_of(alice, now, prompt="a heron at dawn")


def send(client: Client, path: str, body: Any) -> Any:
    return client.post(f"{DESK}{path}", json.dumps(body), content_type="application/json")


def text_of(response: Any) -> str:
    return str(response.content.decode())


PATHS = ("", "next/", "{image}/", "{image}/file/", "{image}/thumbnail/")


@pytest.mark.parametrize("path", PATHS)
def test_only_reviewers_read(client: Client, rita: User, image: GeneratedImage, path: str) -> None:
    """Neither the owner nor staff that may view and change every task."""
    address = DESK + path.format(image=image.pk)
    rita.user_permissions.add(Permission.objects.get(codename="change_generationtask"))
    expected = {"": 302, "alice": 302, "rita": 403, "renu": 200}
    make_reviewer("renu")
    for name, status in expected.items():
        client.logout()
        if name:
            client.force_login(User.objects.get(username=name))
        assert client.get(address).status_code == status, name


@pytest.mark.parametrize("path", ["{image}/decide/", "{image}/undo/", "approve/", "release/"])
def test_only_reviewers_write(client: Client, rita: User, image: GeneratedImage, path: str) -> None:
    address = path.format(image=image.pk)
    body = {"version": 0, "state": "approved", "pictures": [[image.pk, 0]]}
    for user, status in ((None, 302), (image.task.owner, 302), (rita, 403)):
        client.logout()
        if user is not None:
            client.force_login(user)
        assert send(client, address, body).status_code == status
    assert not Review.objects.exists()


def test_reviewers_that_are_no_staff_are_sent_away(client: Client, db: None) -> None:
    client.force_login(make_reviewer("renu", is_staff=False))

    assert client.get(DESK).status_code == 302


def test_the_page_shows_the_first_picture_and_the_next(
    desk: Client, alice: User, image: GeneratedImage, now: datetime
) -> None:
    other = picture_of(alice, now, prompt="a second one", n=2, pictures=1)

    page = text_of(desk.get(DESK))

    assert "a heron at dawn" in page
    assert f"{DESK}{image.pk}/file/" in page
    assert f"picture={other.pk}" in page
    assert "2 waiting" in page
    assert set(ReviewClaim.objects.values_list("image", flat=True)) == {image.pk, other.pk}


def test_an_empty_queue(desk: Client) -> None:
    assert "Nothing waits" in text_of(desk.get(DESK))


def test_pictures_that_colleagues_hold_are_not_nothing(
    desk: Client, image: GeneratedImage, now: datetime
) -> None:
    until = now + timedelta(minutes=7)
    ReviewClaim.objects.create(image=image, reviewer=make_reviewer("raj"), until=until)

    page, answer = text_of(desk.get(DESK)), desk.get(f"{DESK}next/").json()
    assert "Held by colleagues" in page
    assert "Nothing waits" not in page
    at = f"{timezone.localtime(until):%H:%M}"
    assert answer["nothing"]["text"].startswith("1 picture is held by colleagues.")
    assert f"from {at} on" in answer["nothing"]["text"]

    # of another filter, or not any more
    assert "Nothing matches" in text_of(desk.get(f"{DESK}?model=another"))
    assert "Nothing waits" in text_of(desk.get(f"{DESK}?state=flagged"))
    ReviewClaim.objects.update(until=now - timedelta(seconds=1))
    assert desk.get(f"{DESK}next/").json()["nothing"] is None


def test_files_of_hidden_pictures_are_read_with_the_permission_to_review_alone(
    desk: Client, renu: User, image: GeneratedImage, now: datetime
) -> None:
    decide(renu, image, "hidden", now, note="no")
    content = f"picture {image.task_id} 1".encode()

    for name in ("file", "thumbnail"):
        response = desk.get(f"{DESK}{image.pk}/{name}/")
        assert response.content == content
        assert "private" in response["Cache-Control"]


def test_a_decision_of_the_script(desk: Client, image: GeneratedImage) -> None:
    reason = ReviewReason.objects.get(position=2)

    body = {"version": 0, "state": "hidden", "reason": reason.pk, "note": "blood"}
    answer = send(desk, f"{image.pk}/decide/", body)

    assert answer.json() == {"id": image.pk, "version": 1, "state": "hidden"}
    review = Review.objects.get()
    assert (review.reason_english, review.note) == (reason.english, "blood")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"state": "unreviewed"}, 400, "bad_message"),
        ({"state": "adored"}, 400, "bad_message"),
        ({"version": "0"}, 400, "bad_message"),
        ({"note": 7}, 400, "bad_message"),
        ({"note": "a" * 501}, 400, "note_invalid"),
        ({"state": "hidden"}, 400, "reason_missing"),
        ({"state": "hidden", "reason": 12345}, 400, "reason_missing"),
        ({"state": "hidden", "reason": True}, 400, "bad_message"),
        ({"version": 3}, 409, "review_conflict"),
    ],
)
def test_what_is_refused(
    desk: Client, image: GeneratedImage, change: dict[str, Any], status: int, code: str
) -> None:
    answer = send(desk, f"{image.pk}/decide/", {"version": 0, "state": "approved"} | change)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Review.objects.exists()


def test_the_second_reviewer_is_told_who_was_first(
    desk: Client, image: GeneratedImage, now: datetime
) -> None:
    decide(make_reviewer("ravi"), image, "flagged", now)

    answer = send(desk, f"{image.pk}/decide/", {"version": 0, "state": "approved"})

    assert answer.status_code == 409
    told = answer.json()
    assert (told["by"], told["state"], told["version"]) == ("ravi", "flagged", 1)
    assert "ravi" in told["message"]
    assert Review.objects.count() == 1


def test_undo(desk: Client, image: GeneratedImage) -> None:
    send(desk, f"{image.pk}/decide/", {"version": 0, "state": "approved"})

    answer = send(desk, f"{image.pk}/undo/", {"version": 1})

    assert answer.json() == {"id": image.pk, "version": 2, "state": "unreviewed"}
    assert send(desk, f"{image.pk}/undo/", {"version": 1}).status_code == 409


def test_many_are_approved_each_for_itself(
    desk: Client, alice: User, image: GeneratedImage, now: datetime
) -> None:
    others = [picture_of(alice, now) for _each in range(2)]
    decide(make_reviewer("ravi"), others[0], "hidden", now, note="no")

    pairs = [[image.pk, 0], [others[0].pk, 0], [others[1].pk, 0], [10**9, 0]]
    answer = send(desk, "approve/", {"pictures": pairs}).json()["pictures"]

    assert [each.get("code") for each in answer] == [None, "review_conflict", None, "not_found"]
    assert answer[1]["by"] == "ravi"
    states = GeneratedImage.objects.order_by("pk").values_list("review_state", flat=True)
    assert list(states) == ["approved", "hidden", "approved"]


@pytest.mark.parametrize(
    "pictures", [None, [], [[1]], [["1", 0]], [[1, 0, 0]], [1, 2], [[1, True]], [[1, 0]] * 121]
)
def test_lists_that_cannot_be_read(desk: Client, pictures: Any) -> None:
    answer = send(desk, "approve/", {"pictures": pictures})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")


def test_without_scripts_forms_decide(desk: Client, image: GeneratedImage) -> None:
    reason = ReviewReason.objects.get(position=1)

    fields = {"version": "0", "hide": str(reason.pk), "note": "see §2"}
    page = desk.post(f"{DESK}{image.pk}/decide/?state=flagged", fields, follow=True)

    assert page.redirect_chain == [(f"{DESK}?state=flagged", 302)]
    review = Review.objects.get()
    assert (review.state, review.reason, review.note) == ("hidden", reason.english, "see §2")

    page = desk.post(
        f"{DESK}{image.pk}/decide/", {"version": "0", "state": "approved"}, follow=True
    )
    assert "Decided first by renu: Hidden." in text_of(page)

    page = desk.post(f"{DESK}{image.pk}/undo/", {"version": "1"}, follow=True)
    assert "Undone" in text_of(page)
    image.refresh_from_db()
    assert image.review_state == "unreviewed"


def test_forms_need_their_token(renu: User, image: GeneratedImage) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(renu)
    for path in (f"{image.pk}/decide/", f"{image.pk}/undo/", "approve/", "release/"):
        assert send(client, path, {"version": 0, "state": "approved"}).status_code == 403
    assert not Review.objects.exists()


def test_next_pictures_and_their_return(
    desk: Client, alice: User, image: GeneratedImage, now: datetime
) -> None:
    second = picture_of(alice, now)

    page = desk.get(f"{DESK}next/?most=1").json()
    assert [item["id"] for item in page["items"]] == [image.pk]
    assert page["next"] == image.pk
    page = desk.get(f"{DESK}next/?most=5&after={image.pk}").json()
    assert [item["id"] for item in page["items"]] == [second.pk]
    assert page["items"][0]["file"] == f"{DESK}{second.pk}/file/"
    assert ReviewClaim.objects.count() == 2

    for fields in ({}, {"pictures": "x,,", "until": "0001-13"}, {"pictures": f"{image.pk}"}):
        assert desk.post(f"{DESK}release/", fields).status_code == 200
    assert ReviewClaim.objects.count() == 2
    desk.post(f"{DESK}release/", {"pictures": f"{second.pk}", "until": page["until"]})
    assert ReviewClaim.objects.get().image == image
    desk.post(f"{DESK}release/", {"pictures": f"{image.pk},7", "until": page["until"]})
    assert not ReviewClaim.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        "state=%00&model=%00&owner=%00",
        "since=2026-02-31&until=x",
        "since=0001-01-01&until=9999-12-31",
        "picture=999999999999999999999999&after=-1&like=9223372036854775808",
        "like=7&state=mine&words=1",
    ],
)
def test_any_address_is_answered(desk: Client, image: GeneratedImage, query: str) -> None:
    assert desk.get(f"{DESK}?{query}").status_code == 200
    assert desk.get(f"{DESK}next/?most=x&{query}").status_code == 200


def test_pictures_that_look_alike(
    desk: Client, alice: User, image: GeneratedImage, now: datetime
) -> None:
    hashes = {image: -5, picture_of(alice, now): -5, picture_of(alice, now): -5 ^ 0b111}
    other = picture_of(alice, now)
    for each, value in {**hashes, other: -5 ^ 0xFFF}.items():
        GeneratedImage.objects.filter(pk=each.pk).update(similarity=value)

    page = desk.get(f"{DESK}next/?most=9&like={image.pk}").json()

    assert {item["id"] for item in page["items"]} == {each.pk for each in hashes}
    assert "1 other picture" in text_of(desk.get(f"{DESK}{image.pk}/"))


def test_an_appeal_is_shown(desk: Client, renu: User, image: GeneratedImage, now: datetime) -> None:
    decide(make_reviewer("ravi"), image, "hidden", now, note="no")
    Appeal.objects.create(image=image, text="It is a statue <b>.", created=now)

    page = text_of(desk.get(DESK))

    assert "It is a statue &lt;b&gt;." in page
    assert desk.get(f"{DESK}next/?most=1").json()["items"][0]["appeal"] is True


def test_pictures_for_colleagues_have_no_buttons(
    desk: Client, renu: User, image: GeneratedImage, now: datetime
) -> None:
    page = text_of(desk.get(f"{DESK}{picture_of(renu, now).pk}/"))

    assert "about your own picture" in page
    assert "<form" not in page

    decide(renu, image, "flagged", now)
    page = text_of(desk.get(f"{DESK}{image.pk}/"))
    assert "You flagged or hid this picture" in page
    assert 'name="state"' not in page


def test_counts_leave_out_the_trash(
    renu: User, alice: User, image: GeneratedImage, now: datetime
) -> None:
    old = now - timedelta(hours=2)
    decide(renu, picture_of(alice, old), "flagged", old)
    decide(make_reviewer("ravi"), picture_of(alice, old), "hidden", now, note="no")
    trashed = picture_of(alice, old)
    for appealed in (GeneratedImage.objects.get(review_state="hidden"), trashed):
        Appeal.objects.create(image=appealed, text="why?", created=now)
    put_in_trash(alice, now, tasks=[trashed.task])

    counts = review_counts(renu, now=now)

    assert (counts.waiting, counts.flagged, counts.hidden, counts.appeals) == (1, 1, 1, 1)
    assert installation_totals(now).reviews == {"unreviewed": 1, "flagged": 1, "appeals": 1}
    with override("en"):
        assert summary_of(counts, now.timestamp()).endswith(" · 1 open appeal")
    assert (counts.hour_mine, counts.hour_all) == (0, 1)
    assert counts.oldest == image.task.created


def test_no_query_reads_all_pictures(
    desk: Client, renu: User, alice: User, image: GeneratedImage, now: datetime
) -> None:
    GenerationTask.objects.filter(pk=image.task_id).update(status="completed")
    copy_task(GenerationTask.objects.get(pk=image.task_id), 2_000)
    copy_picture(image)
    decide(renu, image, "flagged", now)
    analyze("generation_generatedimage", "generation_generationtask", "generation_review")

    addresses = ("", "?state=flagged", "?state=mine", "?owner=alice&words=1", f"{image.pk}/")
    for address in (*addresses, "next/?most=40", f"next/?most=9&like={image.pk}"):
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(DESK + address).status_code == 200
        assert len(captured) < 40
        for query in captured.captured_queries:
            if 'FROM "generation_generatedimage"' in query["sql"]:
                plan = plan_of(query["sql"])
                assert "Seq Scan on generation_generatedimage" not in plan, query["sql"]
                assert not re.search(r"SCAN generation_generatedimage(?! USING)", plan), plan
