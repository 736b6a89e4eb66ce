"""Entries of the admin's log that concern one account: which are about it, and which it wrote.

An entry outlives its object, and then only its text says whose object that was. Texts repeat: a
user can have the name of a group. So `LogsOwner` notes the owner in the entry; an entry without the
note is found by its object, while that exists.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import CASCADE, ForeignObjectRel, Model, QuerySet
from django.http import HttpRequest

from accounts.models import Invitation

NOTE = '{"owner": '
"""How a note begins in the JSON of a message. Texts in it escape their quotes."""
DELETED_ACCOUNT = "deleted account"
"""Name of the user who stands for deleted ones. No sign-up accepts a name with a space."""
CHUNK = 500
"""Keys in one query."""

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class LogsOwner(ModelAdmin):
    """Notes in each entry of the log whose row it is about; Django's pages do not show it."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return super().log_addition(request, obj, [*message, *owner_note(obj)])

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return super().log_change(request, obj, [*message, *owner_note(obj)])

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> list[LogEntry]:
        assert request.user.is_authenticated
        return [
            LogEntry.objects.log_actions(
                request.user.pk, [each], DELETION, owner_note(each), single_object=True
            )
            for each in queryset
        ]


def owner_note(row: Model) -> list[dict[str, int]]:
    """A part of the message that names the user of `row`; nothing for a row of no user."""
    for field in row._meta.concrete_fields:
        remote = field.remote_field
        if remote and remote.model is User and remote.on_delete is CASCADE:
            key = getattr(row, field.attname)
            return [] if key is None else [{"owner": key}]
    return []


def delete_entries(user: User) -> None:
    """Delete the entries about the account and all that is deleted with it.

    Entries about its addresses are also found when their row is gone, by the confirmed address.
    """
    LogEntry.objects.filter(change_message__contains=json.dumps({"owner": user.pk})).delete()
    in_log = set(LogEntry.objects.order_by().values_list("content_type", flat=True).distinct())
    owned = list(paths_to_owned(User))
    kinds = ContentType.objects.get_for_models(User, Invitation, *(model for model, _ in owned))
    for model, path in owned:
        if kinds[model].pk in in_log:
            delete_entries_about(model._default_manager.filter(**{path: user.pk}))
    delete_entries_about(User._default_manager.filter(pk=user.pk))
    with_address = [kinds[EmailAddress], kinds[Invitation]]
    addressed = LogEntry.objects.filter(content_type__in=with_address)
    addressed.filter(object_repr__in=confirmed_addresses(user)).delete()


def delete_entries_about(rows: QuerySet[Any]) -> None:
    """Delete the entries about these rows, except those whose note names their owner.

    Reads the log's keys of this model and then their rows, because the log is short and the rows
    can be many.
    """
    kind = ContentType.objects.get_for_model(rows.model)
    entries = LogEntry.objects.filter(content_type=kind).exclude(change_message__contains=NOTE)
    written = list(entries.order_by().values_list("object_id", flat=True).distinct())
    for start in range(0, len(written), CHUNK):
        keys = dict(parsed_keys(rows.model, written[start : start + CHUNK]))
        found = rows.filter(pk__in=keys).values_list("pk", flat=True)
        entries.filter(object_id__in=[keys[key] for key in found]).delete()


def parsed_keys(model: type[Model], written: Iterable[str | None]) -> Iterator[tuple[Any, str]]:
    """Each key as the database returns it, with its text in the log."""
    for text in written:
        try:
            yield model._meta.pk.to_python(text), text or ""
        except ValidationError:
            continue


def paths_to_owned(
    model: type[Model], passed: tuple[type[Model], ...] = (), path: str = ""
) -> Iterator[tuple[type[Model], str]]:
    """Models whose rows are deleted together with one of `model`, with the lookup of that row."""
    passed = (*passed, model)
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ForeignObjectRel) or relation.on_delete is not CASCADE:
            continue
        related = relation.related_model
        if related in (*passed, LogEntry) or related._meta.auto_created:
            continue
        lookup = "__".join(filter(None, [relation.field.name, path]))
        yield related, lookup
        yield from paths_to_owned(related, passed, lookup)


def confirmed_addresses(user: User) -> set[str]:
    """Addresses that are the user's: confirmed ones, and one that staff entered.

    Without the others: they can belong to another person.
    """
    listed = dict(EmailAddress.objects.filter(user=user).values_list("email", "verified"))
    addresses = {address for address, verified in listed.items() if verified}
    return addresses | ({user.email} - {"", *listed})


def keep_entries(user: User) -> None:
    """Keep what the account did in the admin, without its name: entries go with their user."""
    written = LogEntry.objects.filter(user=user)
    if not written.exists():
        return
    stand_in, _created = User.objects.get_or_create(
        username=DELETED_ACCOUNT,
        defaults={"is_active": False, "password": make_password(None)},
    )
    written.update(user=stand_in)
