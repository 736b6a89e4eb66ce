"""Permissions: rows of the log and of tasks can be read, but not edited."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from generation.permissions import VIEW_ALL


class ReadOnlyMixin:
    """No adding, changing or deleting: the rows record what happened."""

    def has_add_permission(self, *args: Any) -> bool:
        return False

    def has_change_permission(self, *args: Any) -> bool:
        return False

    def has_delete_permission(self, *args: Any) -> bool:
        return False


class TaskInlineMixin(ReadOnlyMixin):
    """Read-only; needs the permission to view all tasks."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(VIEW_ALL)
