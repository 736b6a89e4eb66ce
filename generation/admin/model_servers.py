"""Model servers: added, changed and removed by operators while the workers run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generation import selectors, services
from generation.admin.mixins import by
from generation.choices import AuditAction
from generation.http_addresses import (
    METRICS_EXAMPLE,
    MODEL_EXAMPLE,
    PROXY_EXAMPLE,
    http_proxy,
    metrics_address,
    model_server,
)
from generation.invalid_setting import InvalidSetting
from generation.models import ModelServer
from generation.staff_permissions import OPERATE

MAX_KEY = 500

FROM_SETTINGS = (
    *("name", "url", "key_variable", "ca_file", "client_certificate"),
    *("verify", "proxy", "enabled"),
)
"""What the settings decide of a server that they name."""


class ModelServerForm(forms.ModelForm):  # type: ignore[type-arg]
    """A stored key is never shown, and goes to no other address than it was entered for."""

    key = forms.CharField(
        label=_("API key"),
        max_length=MAX_KEY,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "vTextField"}),
        help_text=_(
            "Stored encrypted and never shown again. The password, if the address has a user. "
            "Empty: the stored key stays."
        ),
        validators=[RegexValidator(r"^[\x21-\x7e]*$", _("A key has no spaces."))],
    )
    remove_key = forms.BooleanField(label=_("Remove the stored key"), required=False)

    class Meta:
        model = ModelServer
        fields = (
            *("name", "url", "key_variable", "ca_file", "client_certificate", "verify"),
            *("proxy", "metrics_url", "enabled", "draining", "weight", "note"),
        )

    @cached_property
    def has_key(self) -> bool:
        """Whether a key was stored before this change."""
        return bool(self.instance.encrypted_key)

    def clean_url(self) -> str:
        url = checked(model_server, self.cleaned_data["url"], MODEL_EXAMPLE)
        if urlsplit(url).password is not None:
            raise forms.ValidationError(
                _("Write the user alone, and the password as the key: it is stored encrypted.")
            )
        return url

    def clean_proxy(self) -> str:
        proxy = self.cleaned_data["proxy"]
        if not proxy:
            return ""
        if "@" in urlsplit(proxy).netloc:
            raise forms.ValidationError(_("The proxy cannot have a user: it is stored readable."))
        return checked(http_proxy, proxy, PROXY_EXAMPLE)

    def clean_metrics_url(self) -> str:
        url = self.cleaned_data["metrics_url"]
        return checked(metrics_address, url, METRICS_EXAMPLE) if url else ""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("key") and cleaned.get("key_variable"):
            self.add_error("key", _("Give a key or a variable, not both."))
        if cleaned.get("key") and cleaned.get("remove_key"):
            self.add_error("remove_key", _("A new key replaces the stored one."))
        if self.sends_the_key_elsewhere(cleaned):
            self.add_error(
                "key", _("Enter the key again: the stored one is not sent to another address.")
            )
        return cleaned

    def sends_the_key_elsewhere(self, cleaned: dict[str, Any]) -> bool:
        if not self.has_key or cleaned.get("key") or cleaned.get("remove_key"):
            return False
        url, before = cleaned.get("url"), self.initial.get("url")
        same_way = all(
            cleaned.get(name) == self.initial.get(name) for name in ("proxy", "verify", "ca_file")
        )
        return url is not None and not (origin_of(url) == origin_of(before) and same_way)


def checked(read: Callable[[str], str], value: str, example: str) -> str:
    """The address normalised as one in the settings; raises ValidationError."""
    try:
        return read(value.strip())
    except InvalidSetting as error:
        raise forms.ValidationError(
            _("Write an address like %(example)s."),
            params={"example": error.suggestion or example},
        ) from None


def origin_of(url: str | None) -> tuple[str, str, int | None]:
    """Where requests of this URL go."""
    parts = urlsplit(url or "")
    return parts.scheme, parts.netloc.rpartition("@")[2], parts.port


@admin.register(ModelServer)
class ModelServerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Workers follow a change within seconds, without a restart."""

    form = ModelServerForm
    list_display = ("name", "url", "state", "cause", "calls", "weight", "note")
    ordering = ("name",)
    sortable_by = ()
    fields = (
        *("name", "url", "key", "remove_key", "key_variable"),
        *("ca_file", "client_certificate", "verify", "proxy", "metrics_url"),
        *("enabled", "draining", "weight", "note"),
        *("state", "cause", "calls", "checked_at"),
    )
    readonly_fields = ("state", "cause", "calls", "checked_at")
    actions = ("check_now", "drain", "undo_drain")

    @admin.display(description=_("state"))
    def state(self, server: ModelServer) -> str:
        return str(selectors.server_condition(server).label)

    @admin.display(description=_("cause"))
    def cause(self, server: ModelServer) -> str:
        return server.error_detail or "–"

    @admin.display(description=_("latest calls"))
    def calls(self, server: ModelServer) -> str:
        """The newest last: a dot for one that worked, a cross for one that failed."""
        return server.recent_calls.translate(CALL_SIGNS) or "–"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        named = FROM_SETTINGS if obj is not None and obj.from_environment else ()
        return (*self.readonly_fields, *named)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            hidden = {"remove_key", *self.readonly_fields}
        elif obj.from_environment:
            hidden = {"key", "remove_key"}
        else:
            hidden = set() if obj.encrypted_key else {"remove_key"}
        return tuple(name for name in self.fields if name not in hidden)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(OPERATE)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(OPERATE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(OPERATE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(OPERATE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The settings' own servers leave with the settings."""
        return request.user.has_perm(OPERATE) and (obj is None or not obj.from_environment)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, Any], set[Any], list[Any]]:
        """Refuse servers with calls; rows of models and free slots go with a server."""
        busy = [
            gettext("%(name)s has calls: drain it first, and wait until they are over.")
            % {"name": server}
            for server in objs
            if services.has_calls(server_id=server.pk)
        ]
        return [str(each) for each in objs], {}, set(), busy

    def save_model(self, request: HttpRequest, obj: ModelServer, form: Any, change: bool) -> None:
        services.save_server(
            server=obj,
            key=form.cleaned_data.get("key", ""),
            remove_key=form.cleaned_data.get("remove_key", False),
            fields=form.changed_data,
            **by(request),
        )

    def delete_model(self, request: HttpRequest, obj: ModelServer) -> None:
        self.delete_queryset(request, ModelServer.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ModelServer]) -> None:
        for server in queryset:
            if not services.remove_server(server=server, **by(request)):
                # a call began, or a worker with other settings started, while the page asked
                text = gettext("%(name)s is used again, and was not removed.")
                messages.error(request, text % {"name": server})

    @admin.action(description=_("Check now"))
    def check_now(self, request: HttpRequest, queryset: QuerySet[ModelServer]) -> None:
        if services.check_now(server_ids=queryset.values_list("pk", flat=True)):
            text = gettext("Workers check the servers that are away within seconds.")
        else:
            text = gettext("None of them is away: workers check the others every 5 seconds.")
        messages.info(request, text)

    @admin.action(description=_("Drain: no more calls"))
    def drain(self, request: HttpRequest, queryset: QuerySet[ModelServer]) -> None:
        for server in queryset:
            services.act(AuditAction.SERVER_DRAINED, server.name, **by(request))

    @admin.action(description=_("Undo draining"))
    def undo_drain(self, request: HttpRequest, queryset: QuerySet[ModelServer]) -> None:
        for server in queryset:
            services.act(AuditAction.SERVER_UNDRAINED, server.name, **by(request))


CALL_SIGNS = str.maketrans("ox", "●×")
