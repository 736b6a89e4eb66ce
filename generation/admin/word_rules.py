"""Word rules: editable with Django's permissions; each change is in the audit log."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from generation import services
from generation.admin.mixins import by
from generation.models import WordRule


@admin.register(WordRule)
class WordRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rules for prompts that are submitted from now on."""

    list_display = ("words", "action", "enabled")
    list_filter = ("action", "enabled")
    search_fields = ("words", "folded")
    ordering = ("folded",)

    def save_model(self, request: HttpRequest, rule: WordRule, form: Any, change: bool) -> None:
        services.save_word_rule(rule=rule, **by(request))

    def delete_model(self, request: HttpRequest, rule: WordRule) -> None:
        services.delete_word_rules(rules=[rule], **by(request))

    def delete_queryset(self, request: HttpRequest, rules: QuerySet[WordRule]) -> None:
        services.delete_word_rules(rules=rules, **by(request))
