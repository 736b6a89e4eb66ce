"""Named lists of staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import transaction

from generation import limits
from generation.models import SavedView

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def save_view(*, owner: User, name: str, query: str) -> bool:
    """Save a view, or replace the owner's view of that name; False if there are too many."""
    with transaction.atomic():
        # no other request counts them meanwhile
        get_user_model().objects.select_for_update(no_key=True).get(pk=owner.pk)
        views = SavedView.objects.filter(owner=owner)
        if views.filter(name=name).update(query=query):
            return True
        if views.count() >= limits.MAX_VIEWS:
            return False
        SavedView.objects.create(owner=owner, name=name, query=query)
    return True


def delete_view(*, owner: User, view_id: int) -> bool:
    """Delete a view of the owner; whether there was one."""
    deleted, _each = SavedView.objects.filter(owner=owner, pk=view_id).delete()
    return bool(deleted)
