"""Limits of users and groups that differ from the settings."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_log import LogsOwner
from generation.models import LimitOverride


@admin.register(LimitOverride)
class LimitOverrideAdmin(LogsOwner):
    """Open pages show a changed limit within 5 s."""

    list_display = ("user", "group", "kind", "value")
    list_display_links = ("user", "group")
    list_filter = ("kind",)
    list_select_related = ("user", "group")
    search_fields = ("user__username", "group__name")
    ordering = ("kind", "group__name", "user__username")
    autocomplete_fields = ("user", "group")
