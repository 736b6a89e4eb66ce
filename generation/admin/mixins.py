"""What pages of the admin share: read-only rows, and who makes a change from where."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.client_address import client_address
from generation.clock import clock
from generation.staff_permissions import VIEW_ALL


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


def by(request: HttpRequest) -> dict[str, Any]:
    """The user, the address and the time of a change."""
    user = cast("User", request.user)
    return {"actor": user, "address": client_address(request), "now": clock.now()}
