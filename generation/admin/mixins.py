"""Who may look: rows are what happened, and nobody writes them by hand."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from generation.choices import VIEW_ALL


class ReadOnlyMixin:
    """No adding, changing or deleting by hand: rows are what happened."""

    def has_add_permission(self, *args: Any) -> bool:
        return False

    def has_change_permission(self, *args: Any) -> bool:
        return False

    def has_delete_permission(self, *args: Any) -> bool:
        return False


class TaskInlineMixin(ReadOnlyMixin):
    """Shown to whoever may see the task."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(VIEW_ALL)
