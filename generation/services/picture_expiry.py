"""Moves old pictures to the trash, where their owners can restore them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import User

from generation.exceptions import NotFound
from generation.selectors import PictureKey
from generation.selectors.retention_due import old_pictures
from generation.services.trash import move_to_trash

PICTURE_BATCH = 100


def expire_pictures(
    *, owners: Collection[int], before: datetime, favourite: bool, now: datetime
) -> tuple[int, int]:
    """Move a batch of these pictures to the trash; returns their number and their bytes."""
    due = old_pictures(owners, before=before, favourite=favourite, now=now)
    rows = due.values_list("task__owner", "task", "index", "bytes")[:PICTURE_BATCH]
    keys: defaultdict[int, dict[PictureKey, int]] = defaultdict(dict)
    for owner_id, task, index, size in rows:
        keys[owner_id][task, index] = size
    moved = moved_bytes = 0
    for owner in User.objects.filter(pk__in=keys):
        sizes = keys[owner.pk]
        try:
            moved += move_to_trash(owner=owner, pictures=list(sizes), tasks=(), now=now)
        except NotFound:
            # one was deleted for good meanwhile; the next batch has the others
            continue
        moved_bytes += sum(sizes.values())
    return moved, moved_bytes
