"""Appeals: what an owner says against the hiding of a picture, once for each hiding."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.visible_text import is_blank
from generation import broadcast, limits
from generation.error_codes import ErrorCode
from generation.exceptions import AlreadyAppealed, InvalidInput, TransitionRefused
from generation.models import Appeal, GeneratedImage
from generation.protocol import is_unicode
from generation.selectors import notice_of, own_picture
from generation.services.collection_changes import publish_change

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def appeal(*, owner: User, task_id: uuid.UUID, index: int, text: str, now: datetime) -> Appeal:
    """Store an appeal, which reviewers get before all other pictures.

    Raises InvalidInput, NotFound, TransitionRefused unless a reviewer has hidden the picture, and
    AlreadyAppealed.
    """
    sentence = sentence_of(text)
    with transaction.atomic():
        key = own_picture(owner, task_id, index).pk
        # a decision about it comes before or after, so that the appeal is not left without answer
        image = GeneratedImage.objects.select_for_update(no_key=True).get(pk=key)
        notice = notice_of(image)
        if notice is None or notice["state"] != "hidden":
            raise (
                AlreadyAppealed
                if Appeal.objects.filter(image=image).exists()
                else TransitionRefused
            )
        if notice["appeal"] != "possible":
            raise AlreadyAppealed
        publish_change(owner, "reviewed", pictures=[(task_id, index)])
        transaction.on_commit(broadcast.publish_review, robust=True)
        values = {"text": sentence, "created": now, "is_open": True, "answer": None}
        made, _is_new = Appeal.objects.update_or_create(image=image, defaults=values)
        return made


def sentence_of(text: str) -> str:
    """`text` in one line; raises InvalidInput."""
    sentence = " ".join(text.split())
    is_text = "\0" not in sentence and is_unicode(sentence) and not is_blank(sentence)
    if not is_text or len(sentence) > limits.MAX_APPEAL:
        raise InvalidInput(ErrorCode.APPEAL_INVALID, "text")
    return sentence
