"""API tokens in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import ApiToken


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Tokens can be deleted here; `manage.py create_token` creates them."""

    list_display = ("name", "owner", "scope", "created", "last_used", "expires_at")
    list_select_related = ("owner",)
    ordering = ("-created",)
    fields = ("name", "owner", "scope", "created", "last_used", "expires_at")
    readonly_fields = ("owner", "created", "last_used")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
