"""Rules for words of prompts, and pictures that wait for a reviewer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import Settings

from generation import selectors
from generation.choices import ReviewState, TaskStatus, WordAction
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.models import AuditEntry, GenerationTask, Review, WordRule, Worker
from generation.services import retry
from tests.factories import claim_one, complete, failed_task, hide, state_of, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("model")]


def rule(words: str, action: WordAction, **changes: Any) -> WordRule:
    return WordRule.objects.create(words=words, action=action, **changes)


@pytest.mark.parametrize(
    ("words", "prompt"),
    [
        ("Blood", "a BLOOD moon"),
        ("blood moon", "a blood \n\u3000 Moon"),
        ("ＢＬＯＯＤ", "blood"),
        ("血", "一轮血月"),
        ("straße", "STRASSE"),
        ("100%", "100% real"),
        ("a_b", "a_b"),
    ],
)
def test_words_are_found_whatever_their_case_and_width(
    alice: User, now: datetime, words: str, prompt: str
) -> None:
    rule(words, WordAction.FLAG)

    assert submit(alice, now, prompt=prompt).word_action == WordAction.FLAG


@pytest.mark.parametrize(("words", "prompt"), [("a_b", "acb"), ("%", "none"), ("血", "雪")])
def test_other_words_are_not_found(alice: User, now: datetime, words: str, prompt: str) -> None:
    rule(words, WordAction.REFUSE)

    assert submit(alice, now, prompt=prompt, negative_prompt=words).word_action == ""


def test_a_refused_prompt_takes_nothing_and_names_the_words(alice: User, now: datetime) -> None:
    rule("Gun", WordAction.REFUSE)
    rule("Knife", WordAction.REFUSE)
    rule("moon", WordAction.HOLD)
    rule("sun", WordAction.REFUSE, enabled=False)

    with pytest.raises(InvalidInput) as error:
        submit(alice, now, prompt="knife, gun, moon, sun")

    assert error.value.code == ErrorCode.WORDS_REFUSED
    assert (error.value.field, error.value.data) == ("prompt", {"words": ["Gun", "Knife"]})
    assert not GenerationTask.objects.exists()


def test_a_rule_holds_for_retries_too(alice: User, worker: Worker, now: datetime) -> None:
    failed = failed_task(alice, worker, now)
    rule("liujuan", WordAction.REFUSE)

    with pytest.raises(InvalidInput):
        retry(task=failed, key=None, now=now)
    WordRule.objects.update(action=WordAction.HOLD)
    assert retry(task=failed, key=None, now=now).task.word_action == WordAction.HOLD


def drawn(owner: User, worker: Worker, now: datetime) -> GenerationTask:
    task = submit(owner, now)
    complete(claim_one(worker, now), now)
    task.refresh_from_db()
    return task


def test_hold_keeps_pictures_back(alice: User, worker: Worker, now: datetime) -> None:
    rule("liujuan", WordAction.HOLD)

    task = drawn(alice, worker, now)

    assert task.status == TaskStatus.COMPLETED
    image = task.images.get()
    assert (image.withheld, image.review_state) == (True, ReviewState.UNREVIEWED)
    assert state_of(task.pk)["images"][0]["withheld"]
    (shown,) = selectors.card_of(task, now=now)["state"]["images"]
    assert shown["notice"] == {"state": "held", "reason": "", "note": "", "appeal": ""}
    task.images.update(withheld=False)
    (shown,) = selectors.card_of(task, now=now)["state"]["images"]
    assert "withheld" not in shown


def test_flag_only_asks_for_a_review(alice: User, worker: Worker, now: datetime) -> None:
    rule("liujuan", WordAction.FLAG)

    image = drawn(alice, worker, now).images.get()

    assert (image.withheld, image.review_state) == (False, ReviewState.FLAGGED)
    review = Review.objects.get()
    assert (review.version, review.state, review.reviewer) == (1, ReviewState.FLAGGED, None)
    assert image.review_version == 1


def test_a_hidden_picture_that_is_drawn_again_is_withheld(
    alice: User, bob: User, worker: Worker, now: datetime
) -> None:
    first, other = (drawn(user, worker, now).images.get() for user in (alice, bob))
    assert first.sha256 == other.sha256
    hide(first, now, note="no")
    first.task.delete()

    again = drawn(alice, worker, now).images.get()

    assert (again.withheld, again.review_state) == (True, ReviewState.FLAGGED)
    assert again.reviews.get().reason_english == "The same picture was hidden before."
    assert not drawn(bob, worker, now).images.get().withheld
    assert drawn(alice, worker, now).images.get().withheld

    hide(again, now, state=ReviewState.APPROVED)
    assert not drawn(alice, worker, now).images.get().withheld


def test_review_before_holds_every_picture_back(
    alice: User, worker: Worker, now: datetime, settings: Settings
) -> None:
    settings.REVIEW = "before"

    task = drawn(alice, worker, now)

    assert task.status == TaskStatus.COMPLETED
    assert task.images.get().withheld


@pytest.mark.parametrize(
    "words", [pytest.param("\u200b", id="no letter"), "ﷺ" * 20, pytest.param("ＧＵＮ", id="known")]
)
def test_a_rule_needs_words_of_its_own(words: str) -> None:
    rule("gun", WordAction.HOLD)

    with pytest.raises(ValidationError) as error:
        WordRule(words=words, action=WordAction.HOLD).clean()
    assert list(error.value.message_dict) == ["words"]


def test_staff_change_rules_in_the_admin(db: None) -> None:
    staff = User.objects.create_user("rowan", is_staff=True)
    client, path = Client(REMOTE_ADDR="192.0.2.1"), "/admin/generation/wordrule/"
    client.force_login(staff)
    assert client.get(path).status_code == 403
    staff.user_permissions.set(Permission.objects.filter(codename__endswith="_wordrule"))

    client.post(f"{path}add/", {"words": "Gun", "action": "hold", "enabled": "on"})
    made = WordRule.objects.get()
    client.post(f"{path}{made.pk}/change/", {"words": "Ｇuns", "action": "flag"})
    made.refresh_from_db()
    client.post(f"{path}{made.pk}/delete/", {"post": "yes"})

    assert (made.folded, made.action, made.enabled) == ("guns", "flag", False)
    assert not WordRule.objects.exists()
    entries = AuditEntry.objects.order_by("pk")
    assert [(each.details["change"], each.address) for each in entries] == [
        ("added", "192.0.2.1"),
        ("changed", "192.0.2.1"),
        ("deleted", "192.0.2.1"),
    ]
