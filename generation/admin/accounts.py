"""Accounts: Django's admin, except that accounts with tasks cannot be deleted in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.admin_log import DELETED_ACCOUNT
from accounts.profiles import profile_of
from generation import services
from generation.models import GenerationTask

admin.site.unregister(User)
admin.site.unregister(Group)


def permission_name(permission: Permission) -> str:
    """In the reader's language; the stored names are English."""
    verbs = {
        "add": pgettext("permission", "add"),
        "change": pgettext("permission", "change"),
        "delete": pgettext("permission", "delete"),
        "view": pgettext("permission", "view"),
    }
    verb, _separator, _model = permission.codename.partition("_")
    return f"{permission.content_type} | {verbs.get(verb, permission.name)}"


def permission_of(link: Any) -> str:
    return permission_name(link.permission)


def group_of(link: Any) -> str:
    return str(link.group)


def name_links() -> None:
    """Name the rows that link accounts, groups and permissions, for the deletion pages."""
    for link in (Group.permissions.through, User.user_permissions.through):
        link._meta.verbose_name = gettext_lazy("permission")
        link.__str__ = permission_of  # type: ignore[method-assign]
    User.groups.through._meta.verbose_name = gettext_lazy("group")
    User.groups.through.__str__ = group_of  # type: ignore[method-assign]


name_links()


class PermissionField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Permission) -> str:
        return permission_name(obj)


class PermissionMixin:
    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **options: Any) -> Any:
        if db_field.related_model is Permission:
            options["form_class"] = PermissionField
        return super().formfield_for_manytomany(  # type: ignore[misc]
            db_field, request, **options
        )


@admin.register(Group)
class RoleAdmin(PermissionMixin, GroupAdmin):
    """Groups of staff: reviewers, operators, auditors."""


@admin.register(User)
class AccountAdmin(PermissionMixin, UserAdmin):  # type: ignore[type-arg]
    list_display = ("username", "shown_name", "email", "is_active", "is_staff")
    list_select_related = ("profile",)
    search_fields = (*UserAdmin.search_fields, "profile__shown_name")

    @admin.display(description=gettext_lazy("shown name"), ordering="profile__shown_name")
    def shown_name(self, user: User) -> str:
        profile = profile_of(user)
        return profile.shown_name if profile else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Without the user that keeps the log of deleted accounts."""
        return super().get_queryset(request).exclude(username=DELETED_ACCOUNT)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """The entry about this deletion goes as well; the security log names both accounts."""
        services.delete_user(obj, by=request.user.get_username())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)

    def get_deleted_objects(
        self, objs: QuerySet[User] | Sequence[User], request: HttpRequest
    ) -> tuple[list[Any], dict[Any, Any], set[Any], list[Any]]:
        """Refuse accounts with tasks: `delete_account` also ends tasks and deletes their files."""
        tasks = GenerationTask.objects.filter(owner__in=[each.pk for each in objs])
        owners = sorted(set(tasks.values_list("owner__username", flat=True)))
        if owners:
            hint = _(
                "%(name)s has tasks. To delete the account, run on the server: manage.py "
                "delete_account %(name)s"
            )
            return [], {}, set(), [hint % {"name": name} for name in owners]
        return super().get_deleted_objects(objs, request)
