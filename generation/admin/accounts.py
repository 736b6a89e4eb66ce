"""Accounts: Django's own pages, but one that has drawn is not deleted here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from generation.models import GenerationTask

admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    def get_deleted_objects(
        self, objs: QuerySet[User] | Sequence[User], request: HttpRequest
    ) -> tuple[list[Any], dict[Any, Any], set[Any], list[Any]]:
        """Its tasks may go on at a worker, and their files lie on a disk: a command ends both."""
        names = GenerationTask.objects.filter(owner__in=[each.pk for each in objs])
        drawn = sorted(set(names.values_list("owner__username", flat=True)))
        if drawn:
            way = _(
                "%(name)s has tasks. To delete the account, run on the server: manage.py "
                "delete_account %(name)s"
            )
            return [], {}, set(), [way % {"name": name} for name in drawn]
        return super().get_deleted_objects(objs, request)
