"""The finished work that a user keeps, as open pages show it."""

from __future__ import annotations

import uuid
from collections.abc import Collection as Some
from typing import TYPE_CHECKING, TypedDict

from generation.choices import UNFINISHED
from generation.models import Collection, GenerationTask
from generation.selectors.task_list import TaskCounts, task_counts
from generation.selectors.tasks import PAGE_CARDS, kept_images, withheld_in

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class CollectionState(TypedDict):
    """`kept`: task → index of a picture → is it a favourite, for the requested tasks that exist.

    `withheld`: task → indexes, for those with withheld pictures. `others`: counts of all other
    tasks. `recent`: the newest finished tasks.
    """

    revision: int
    kept: dict[str, dict[int, bool]]
    withheld: dict[str, list[int]]
    others: TaskCounts
    recent: list[str]


def revisions_of(owners: Some[int]) -> dict[int, int]:
    """Owner → revision; owners at revision 0 are left out."""
    rows = Collection.objects.filter(owner__in=owners, revision__gt=0)
    return dict(rows.values_list("owner_id", "revision"))


def revision_of(owner_id: int) -> int:
    return revisions_of([owner_id]).get(owner_id, 0)


def collection_state(owner: User, shown: Some[uuid.UUID]) -> CollectionState:
    """The revision is read first: a change during the reads comes with the next revision."""
    revision = revision_of(owner.pk)
    owned = GenerationTask.objects.filter(owner=owner).live()
    here = GenerationTask.objects.owned_among(owner.pk, shown).live()
    kept = kept_images(list(here.only("pk")))
    over = owned.exclude(status__in=UNFINISHED).newest_first()[:PAGE_CARDS]
    return {
        "revision": revision,
        "kept": {
            str(key): {index: image.favourite for index, image in images.items()}
            for key, images in kept.items()
        },
        "withheld": {str(key): indexes for key, indexes in withheld_in(kept).items() if indexes},
        "others": task_counts(owner, shown)[1],
        "recent": [str(key) for key in over.values_list("pk", flat=True)],
    }
