"""Incidents and the messages about them, read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from generation.admin.mixins import ReadOnlyMixin
from generation.models import Incident, IncidentNotice
from generation.permissions import OPERATE


class OperatorMixin(ReadOnlyMixin):
    """Read-only; for operators."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(OPERATE)


class IncidentNoticeInline(OperatorMixin, admin.TabularInline):  # type: ignore[type-arg]
    model = IncidentNotice
    fields = ("channel", "is_clear", "created", "sent_at", "tries", "outcome")
    ordering = ("pk",)


@admin.register(Incident)
class IncidentAdmin(OperatorMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("kind", "subject", "since", "opened_at", "closed_at", "detail")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    ordering = ("-id",)
    fields = ("kind", "subject", "detail", "since", "opened_at", "clear_since", "closed_at")
    inlines = (IncidentNoticeInline,)
