"""Decisions about pictures, read-only, and the preset reasons."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from generation.admin.bounded_paginator import BoundedPaginator
from generation.admin.mixins import ReadOnlyMixin
from generation.models import Review, ReviewReason
from generation.staff_permissions import REVIEW


@admin.register(Review)
class ReviewAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """The history, for reviewers; decisions are made on the review page."""

    list_display = ("created", "picture", "state", "reviewer_name", "reason", "note")
    list_filter = ("state",)
    search_fields = ("=reviewer_name",)
    search_help_text = _("The account name of a reviewer.")
    list_select_related = ("image",)
    paginator = BoundedPaginator
    show_full_result_count = False
    ordering = ("-created", "-id")
    sortable_by = ()
    fields = (
        *("picture", "version", "state", "reviewer_name", "created"),
        *("reason_english", "reason_chinese", "note"),
    )
    readonly_fields = ("picture",)

    def has_view_permission(self, request: HttpRequest, obj: Review | None = None) -> bool:
        return request.user.has_perm(REVIEW)

    @admin.display(description=_("picture"))
    def picture(self, review: Review) -> str:
        """Its thumbnail, which leads to the review page; what it was if it is deleted."""
        if review.image is None:
            return "–" if review.task is None else f"{review.task} {review.image_index}"
        return format_html(
            '<a class="preview" href="{}?picture={}"><img src="{}" width="{}" height="{}" alt="{}"'
            ' loading="lazy"></a>',
            reverse("review"),
            review.image_id,
            reverse("review-thumbnail", args=[review.image_id]),
            review.image.width,
            review.image.height,
            review.image_id,
        )

    @admin.display(description=_("reason"))
    def reason(self, review: Review) -> str:
        return review.reason or "–"


@admin.register(ReviewReason)
class ReviewReasonAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Decisions keep the texts of their reason, so presets may be changed and deleted."""

    list_display = ("position", "chinese", "english", "enabled")
    list_display_links = ("chinese", "english")
    list_editable = ("enabled",)
    ordering = ("position", "pk")
