"""Pictures that their owners do not get: why, and what can be done about it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING

from generation.choices import ReviewState
from generation.exceptions import NotFound, PictureWithheld
from generation.models import Appeal, GeneratedImage, GenerationTask, Review
from generation.protocol import AppealState, WithheldData
from generation.staff_permissions import VIEW_ALL

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

HIDDEN, FLAGGED = ReviewState.HIDDEN, ReviewState.FLAGGED
Notices = dict[uuid.UUID, dict[int, WithheldData]]
"""Task → index of a withheld picture → why it is."""


def check_shown(image: GeneratedImage, user: User | AnonymousUser) -> None:
    """Raise PictureWithheld if it is withheld and the user may not view all tasks."""
    if image.withheld and not user.has_perm(VIEW_ALL):
        raise PictureWithheld


def notices_of(tasks: Collection[GenerationTask]) -> Notices:
    """The withheld pictures of tasks, with reasons in the active language."""
    return notices_of_images(GeneratedImage.objects.filter(task__in=tasks, withheld=True))


def notice_of(image: GeneratedImage) -> WithheldData | None:
    """Why the picture is withheld; None if it is shown."""
    return notices_of_images([image])[image.task_id][image.index] if image.withheld else None


def notices_of_images(images: Collection[GeneratedImage]) -> Notices:
    """Those of withheld `images`; two queries if a reviewer has decided about any."""
    decided = [image.pk for image in images if image.review_state in (HIDDEN, FLAGGED)]
    hidden = newest_hiding(decided) if decided else {}
    rows = Appeal.objects.filter(image__in=list(hidden)).select_related("answer") if hidden else ()
    appeals = {each.image_id: each for each in rows}
    found: Notices = defaultdict(dict)
    for image in images:
        found[image.task_id][image.index] = (
            hidden_notice(hidden[image.pk], appeals.get(image.pk))
            if image.pk in hidden
            else {"state": "held", "reason": "", "note": "", "appeal": ""}
        )
    return found


def newest_hiding(image_ids: Collection[int]) -> dict[int, Review]:
    """Image → the decision that hid it, if none ended that; a flag does not."""
    decisions = Review.objects.filter(image__in=image_ids).exclude(state=FLAGGED)
    newest = {each.image_id: each for each in decisions.order_by("version") if each.image_id}
    return {key: each for key, each in newest.items() if each.state == HIDDEN}


def hidden_notice(review: Review, appeal: Appeal | None) -> WithheldData:
    return {
        "state": "hidden",
        "reason": review.reason,
        "note": review.note,
        "appeal": appeal_state(appeal),
    }


def appeal_state(appeal: Appeal | None) -> AppealState:
    """Of a hidden picture; after a granted appeal another hiding can be appealed against."""
    if appeal is None:
        return "possible"
    if appeal.is_open:
        return "sent"
    answer = appeal.answer
    return "possible" if answer is not None and answer.state != HIDDEN else "final"


def own_picture(owner: User, task_id: uuid.UUID, index: int) -> GeneratedImage:
    """The owner's picture outside the trash, with its task; raises NotFound."""
    rows = GeneratedImage.objects.live().filter(task__deleted_at__isnull=True)
    image = rows.select_related("task").filter(task=task_id, task__owner=owner, index=index).first()
    if image is None:
        raise NotFound
    return image
