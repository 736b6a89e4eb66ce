"""Share links."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from generation import services
from generation.admin.bounded_paginator import BoundedPaginator
from generation.admin.mixins import TaskInlineMixin
from generation.models import ShareLink


@admin.register(ShareLink)
class ShareLinkAdmin(TaskInlineMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Links can be revoked here; they are created on the task's page."""

    list_display = ("task", "created", "expires_at")
    list_select_related = ("task",)
    paginator = BoundedPaginator
    show_full_result_count = False
    ordering = ("-created",)
    fields = ("task", "created", "expires_at")

    def has_delete_permission(self, request: HttpRequest, obj: ShareLink | None = None) -> bool:
        may_delete = request.user.has_perm("generation.delete_sharelink")
        return may_delete and self.has_view_permission(request, obj)

    def delete_model(self, request: HttpRequest, link: ShareLink) -> None:
        services.revoke_link(link_id=link.pk)

    def delete_queryset(self, request: HttpRequest, links: QuerySet[ShareLink]) -> None:
        for link in links:
            services.revoke_link(link_id=link.pk)
