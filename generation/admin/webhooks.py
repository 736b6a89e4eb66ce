"""Webhooks and their deliveries, read-only: their owners change them."""

from __future__ import annotations

from django.contrib import admin

from generation.admin.bounded_paginator import BoundedPaginator
from generation.admin.mixins import ReadOnlyMixin
from generation.admin.time_filters import WebhookStateFilter
from generation.models import WebhookAttempt, WebhookEndpoint


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("url", "owner", "task", "enabled", "failing_since", "off_at")
    list_filter = ("enabled", ("failing_since", WebhookStateFilter))
    list_select_related = ("owner", "task")
    search_fields = ("owner__username", "url")
    ordering = ("-created",)
    fields = (
        *("url", "owner", "task", "token", "events", "enabled", "failing_since", "off_at"),
        "created",
    )


@admin.register(WebhookAttempt)
class WebhookAttemptAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("created", "endpoint", "kind", "outcome", "status", "seconds")
    list_filter = ("outcome",)
    list_select_related = ("endpoint",)
    search_fields = ("endpoint__owner__username", "endpoint__url")
    paginator = BoundedPaginator
    show_full_result_count = False
    ordering = ("-id",)
    fields = (
        *("endpoint", "task", "seq", "kind", "is_requested", "created", "started_at", "seconds"),
        *("outcome", "status", "excerpt"),
    )
