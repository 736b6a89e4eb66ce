"""Workers, models and slots."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from generation.admin.filters import short_error
from generation.admin.mixins import ReadOnlyMixin
from generation.models import ModelSlot, ModelState, Worker


class ReadOnlyAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Base of the pages for rows that workers write."""


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    # few columns, because times do not wrap
    list_display = ("host", "pid", "version", "state", "slots", "model_server", "last_seen")
    list_filter = ("state",)
    ordering = ("-last_seen",)


@admin.register(ModelState)
class ModelStateAdmin(ReadOnlyAdmin):
    list_display = (
        *("name", "ready", "loading", "replicas", "route"),
        *("error", "error_detail", "checked_at"),
    )
    ordering = ("name",)

    @admin.display(description=_("error"), ordering="error_code")
    def error(self, model: ModelState) -> str:
        return short_error(model.error_code) or "–"


@admin.register(ModelSlot)
class ModelSlotAdmin(ReadOnlyAdmin):
    list_display = ("model", "number", "task", "attempt", "worker", "lease_until")
    list_select_related = ("task", "worker")
    ordering = ("model", "number")
