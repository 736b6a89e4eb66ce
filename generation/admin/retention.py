"""How long data is kept, what the next run will delete, and what the last runs did."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.admin_log import LogsOwner
from accounts.client_address import client_address
from generation import selectors, services
from generation.admin.mixins import ReadOnlyMixin
from generation.choices import AuditAction
from generation.clock import clock
from generation.models import PruneRun, RetentionRule
from generation.staff_permissions import OPERATE
from generation.timeline.text import duration


@admin.register(RetentionRule)
class RetentionRuleAdmin(LogsOwner):
    """The next run obeys a changed rule."""

    list_display = ("user", "group", "kind", "days")
    list_display_links = ("user", "group")
    list_filter = ("kind",)
    list_select_related = ("user", "group")
    search_fields = ("user__username", "group__name")
    ordering = ("kind", "group__name", "user__username")
    autocomplete_fields = ("user", "group")

    def save_model(self, request: HttpRequest, obj: RetentionRule, form: Any, change: bool) -> None:
        before = form.initial.get("days") if change else None
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            record_change(request, obj, days=obj.days, before=before, change=change)

    def delete_model(self, request: HttpRequest, obj: RetentionRule) -> None:
        with transaction.atomic():
            record_change(request, obj, deleted=True, before=obj.days)
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[RetentionRule]) -> None:
        for rule in queryset:
            self.delete_model(request, rule)


def record_change(request: HttpRequest, rule: RetentionRule, **details: Any) -> None:
    services.record_action(
        actor=cast("User", request.user),
        action=AuditAction.RETENTION_CHANGED,
        now=clock.now(),
        address=client_address(request),
        owner=rule.user,
        kind=rule.kind,
        group="" if rule.group is None else rule.group.name,
        **details,
    )


@admin.register(PruneRun)
class PruneRunAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """The last runs, below a report of what the next one will delete."""

    list_display = (
        *("day", "took", "prompts", "failures", "logs"),
        *("events", "pictures", "size"),
    )
    list_display_links = None
    ordering = ("-day",)

    @admin.display(description=pgettext_lazy("of a run", "took"))
    def took(self, run: PruneRun) -> str:
        if run.finished_at is None:
            return gettext("not ended")
        return duration((run.finished_at - run.started_at).total_seconds())

    @admin.display(description=_("prompts not removed"))
    def failures(self, run: PruneRun) -> int:
        return len(run.failed)

    @admin.display(description=_("size of these pictures"))
    def size(self, run: PruneRun) -> str:
        return filesizeformat(run.bytes)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(OPERATE)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = extra_context or {}
        if self.has_view_permission(request):
            context |= {
                "report": selectors.prune_report(now=clock.now()),
                "hour": settings.PRUNE_HOUR,
                "zone": timezone.get_default_timezone_name(),
                "may_change_rules": request.user.has_perm("generation.view_retentionrule"),
            }
        return super().changelist_view(request, context)
