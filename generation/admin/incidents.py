"""Incidents and the messages about them, read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generation.admin.mixins import ReadOnlyMixin
from generation.admin.time_filters import IncidentStateFilter
from generation.models import Incident, IncidentNotice
from generation.staff_permissions import OPERATE


class OperatorMixin(ReadOnlyMixin):
    """Read-only; for operators."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(OPERATE)


class IncidentNoticeInline(OperatorMixin, admin.TabularInline):  # type: ignore[type-arg]
    model = IncidentNotice
    fields = readonly_fields = ("channel", "about", "sent_at", "tries", "outcome")
    ordering = ("pk",)

    @admin.display(description=_("about"))
    def about(self, notice: IncidentNotice) -> str:
        return gettext("its end") if notice.is_clear else gettext("its beginning")


@admin.register(Incident)
class IncidentAdmin(OperatorMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    # few columns: times do not wrap, and a narrow column would wrap after each character
    list_display = ("title", "since", "closed_at")
    list_filter = ("kind", ("closed_at", IncidentStateFilter))
    ordering = ("-id",)
    fields = ("kind", "subject", "detail", "since", "opened_at", "clear_since", "closed_at")
    inlines = (IncidentNoticeInline,)

    @admin.display(description=_("incident"))
    def title(self, incident: Incident) -> str:
        return incident.title
