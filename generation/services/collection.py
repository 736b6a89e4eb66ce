"""Tells the open pages of a person what was done with the finished tasks and pictures."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F

from generation import broadcast
from generation.models import Collection
from generation.protocol import collection_frame, encode

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def tell_change(
    owner: User, change: str, *, pictures: Iterable[Any], tasks: Iterable[Any] = (), **more: Any
) -> None:
    """Count the change in this transaction, and publish it once that is committed.

    `pictures`: (task, index). A page that misses it sees by the revision that it did.
    """
    Collection.objects.get_or_create(owner=owner)
    mine = Collection.objects.filter(owner=owner)
    mine.update(revision=F("revision") + 1)
    revision = mine.values_list("revision", flat=True).get()
    frame = encode(
        {
            **collection_frame(revision),
            "change": change,
            "pictures": [f"{task}:{index}" for task, index in pictures],
            "tasks": [str(task) for task in tasks],
            **more,
        }
    )
    ring = partial(broadcast.ring_collection, owner_id=owner.pk, revision=revision, frame=frame)
    transaction.on_commit(ring, robust=True)
