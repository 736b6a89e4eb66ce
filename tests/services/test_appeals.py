"""Appeals of owners against the hiding of a picture."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from generation import selectors, services
from generation.choices import ReviewState
from generation.error_codes import ErrorCode
from generation.exceptions import AlreadyAppealed, InvalidInput, NotFound, TransitionRefused
from generation.models import Appeal, Collection, GeneratedImage
from generation.protocol import WithheldData
from tests.concurrency import at_once
from tests.factories import finished_task, hide

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("model")]


@pytest.fixture
def image(alice: User, now: datetime) -> GeneratedImage:
    return finished_task(alice, now).images.get()


def appeal(image: GeneratedImage, owner: User, now: datetime, text: str = "A statue.") -> Appeal:
    return services.appeal(
        owner=owner, task_id=image.task_id, index=image.index, text=text, now=now
    )


def notice(image: GeneratedImage) -> WithheldData:
    found = selectors.notice_of(GeneratedImage.objects.get(pk=image.pk))
    assert found is not None
    return found


def test_an_owner_appeals_once(image: GeneratedImage, alice: User, now: datetime) -> None:
    hide(image, now, note="the left half")
    assert notice(image) == {
        "state": "hidden",
        "reason": "暴力",
        "note": "the left half",
        "appeal": "possible",
    }
    before = selectors.revision_of(alice.pk)

    made = appeal(image, alice, now, " A statue \n of\u3000Venus. ")

    assert (made.text, made.is_open) == ("A statue of Venus.", True)
    assert selectors.revision_of(alice.pk) == before + 1
    with pytest.raises(AlreadyAppealed):
        appeal(image, alice, now)
    assert notice(image)["appeal"] == "sent"


def test_an_answer_ends_it(image: GeneratedImage, alice: User, now: datetime) -> None:
    hide(image, now)
    appeal(image, alice, now)

    hide(image, now, state=ReviewState.FLAGGED)
    assert notice(image)["state"] == "hidden"
    assert notice(image)["appeal"] == "sent"
    hide(image, now, note="it stays")
    assert (notice(image)["note"], notice(image)["appeal"]) == ("it stays", "final")
    hide(image, now, state=ReviewState.APPROVED)
    image.refresh_from_db()
    assert not image.withheld
    with pytest.raises(AlreadyAppealed):
        appeal(image, alice, now)


def test_after_a_granted_appeal_another_hiding_can_be_appealed_against(
    image: GeneratedImage, alice: User, now: datetime
) -> None:
    hide(image, now)
    appeal(image, alice, now)
    hide(image, now, state=ReviewState.APPROVED)
    hide(image, now, note="for another reason")
    assert notice(image)["appeal"] == "possible"

    again = appeal(image, alice, now, "It is not.")

    assert notice(image)["appeal"] == "sent"
    assert (again.text, again.is_open, again.answer) == ("It is not.", True, None)
    hide(image, now)
    assert notice(image)["appeal"] == "final"


def test_only_what_a_reviewer_has_hidden_can_be_appealed(
    image: GeneratedImage, alice: User, bob: User, now: datetime
) -> None:
    with pytest.raises(TransitionRefused):
        appeal(image, alice, now)
    GeneratedImage.objects.update(withheld=True)
    assert notice(image)["state"] == "held"
    with pytest.raises(TransitionRefused):
        appeal(image, alice, now)
    hide(image, now)
    with pytest.raises(NotFound):
        appeal(image, bob, now)
    GeneratedImage.objects.update(deleted_at=now)
    with pytest.raises(NotFound):
        appeal(image, alice, now)


@pytest.mark.django_db(transaction=True)
def test_two_presses_are_one_appeal(alice: User, now: datetime) -> None:
    image = finished_task(alice, now).images.get()
    hide(image, now)

    def press() -> bool:
        try:
            appeal(image, alice, now)
        except AlreadyAppealed:
            return False
        return True

    assert sorted(at_once(press, press)) == [False, True]
    assert Appeal.objects.count() == 1


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "a\0b", "\ud800", "x" * 501])
def test_an_appeal_is_one_sentence(
    image: GeneratedImage, alice: User, now: datetime, text: str
) -> None:
    hide(image, now)

    with pytest.raises(InvalidInput) as error:
        appeal(image, alice, now, text)
    assert error.value.code == ErrorCode.APPEAL_INVALID
    assert not Appeal.objects.exists()


def test_the_reason_is_in_the_language_of_the_reader(image: GeneratedImage, now: datetime) -> None:
    hide(image, now)

    assert notice(image)["reason"] == "暴力"
    with translation.override("en"):
        assert notice(image)["reason"] == "Violence"


def test_the_page_works_without_scripts(image: GeneratedImage, alice: User, now: datetime) -> None:
    client = Client(headers={"accept-language": "en"})
    path = f"/pictures/{image.task_id}/1/notice/"
    client.force_login(alice)
    assert client.get(path)["Location"].endswith(f"#picture={image.task_id}:1")
    hide(image, now, note="the left half")

    page = client.get(f"/pictures/{image.task_id}/1/")
    assert page.status_code == 403
    assert "the left half" in page.text
    assert client.post(path, {"text": " "}).status_code == 400
    sent = [client.post(path, {"text": "A statue."}) for _press in range(2)]

    assert [each["Location"] for each in sent] == [path, path]
    assert "Your appeal was sent" in client.get(path).text
    assert Appeal.objects.get().text == "A statue."


def test_cards_and_missed_changes_say_what_is_withheld(
    image: GeneratedImage, alice: User, now: datetime
) -> None:
    hide(image, now)

    (card,) = selectors.recent_cards(alice, now=now)
    kept = selectors.collection_state(alice, [image.task_id])
    (item,) = selectors.gallery_page(alice, selectors.GalleryFilter(), None)["items"]

    assert card["state"]["images"] == []  # the log of this task names none
    assert kept["withheld"] == {str(image.task_id): [1]}
    assert item["kind"] == "picture"
    assert item["notice"] == notice(image)
    assert Collection.objects.get(owner=alice).revision == 1
