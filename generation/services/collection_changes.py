"""Favourites, and the frame that announces a change of finished work to open pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F

from generation import broadcast
from generation.models import Collection, GeneratedImage
from generation.protocol import collection_frame, encode
from generation.selectors import PictureKey, pictures_of_keys

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def set_favourite(*, owner: User, pictures: Sequence[PictureKey], favourite: bool) -> int:
    """Mark or unmark images; returns how many changed.

    Raises NotFound, with nothing written, if one of them does not exist.
    """
    with transaction.atomic():
        keys = [image.pk for image in pictures_of_keys(owner, pictures)]
        rows = GeneratedImage.objects.filter(pk__in=keys).exclude(favourite=favourite)
        changed = rows.update(favourite=favourite)
        if changed:
            publish_change(owner, "favourite", pictures=pictures, favourite=favourite)
    return changed


def publish_change(
    owner: User,
    change: str,
    *,
    pictures: Iterable[Any] = (),
    tasks: Iterable[Any] = (),
    **more: Any,
) -> None:
    """Increment the owner's revision and publish the change after the commit.

    `pictures` are (task, index); without pictures and tasks only the trash changed. A page that
    missed a change notices it by the revision.
    """
    Collection.objects.get_or_create(owner=owner)
    collection = Collection.objects.filter(owner=owner)
    collection.update(revision=F("revision") + 1)
    revision = collection.values_list("revision", flat=True).get()
    frame = encode(
        {
            **collection_frame(revision),
            "change": change,
            "pictures": [f"{task}:{index}" for task, index in pictures],
            "tasks": [str(task) for task in tasks],
            **more,
        }
    )
    publish = partial(
        broadcast.publish_collection, owner_id=owner.pk, revision=revision, frame=frame
    )
    transaction.on_commit(publish, robust=True)
