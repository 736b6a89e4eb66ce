"""API tokens, invitations and what allauth stores, in the admin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import invitations
from accounts.admin_log import LogsOwner
from accounts.client_address import client_address
from accounts.credential_changes import report_change
from accounts.models import ApiToken, Invitation
from accounts.profiles import full_name
from accounts.reset_links import absolute_url
from accounts.security_log import SecurityEvent, log_event


@admin.register(ApiToken)
class ApiTokenAdmin(LogsOwner):
    """Tokens can be deleted here; `manage.py create_token` creates them."""

    list_display = ("name", "owner_name", "scope", "created", "last_used", "expires_at")
    list_select_related = ("owner__profile",)
    ordering = ("-created",)
    fields = ("name", "owner", "scope", "created", "last_used", "expires_at")
    readonly_fields = ("owner", "created", "last_used")

    @admin.display(description=gettext_lazy("owner"), ordering="owner__username")
    def owner_name(self, token: ApiToken) -> str:
        return full_name(token.owner)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_deleted_objects(
        self, objs: QuerySet[ApiToken] | Sequence[ApiToken], request: HttpRequest
    ) -> tuple[list[Any], dict[Any, Any], set[Any], list[Any]]:
        """Permission to delete a token is enough for the webhooks that are deleted with it."""
        shown, counts, missing, protected = super().get_deleted_objects(objs, request)
        return shown, counts, missing & {self.opts.verbose_name}, protected


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if email and EmailAddress.objects.filter(email=email, verified=True).exists():
            raise forms.ValidationError(_("An account has this address already."))
        return email


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Creates links; a stored invitation can only be deleted."""

    form = InvitationForm
    list_display = ("__str__", "group", "is_staff", "created_by", "expires_at", "used_by")
    list_select_related = ("group", "created_by", "used_by")
    ordering = ("-created",)
    fields = ("email", "group", "is_staff", "expires_at")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"expires_at": timezone.now() + invitations.INVITATION_LASTS}

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        """Only superusers give rights away."""
        fields = ["email", "group", "is_staff", "expires_at"]
        if obj is None and not request.user.is_superuser:
            return [name for name in fields if name not in ("group", "is_staff")]
        return fields

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Invitation, form: forms.Form, change: bool
    ) -> None:
        """Show the link, which is stored nowhere."""
        assert request.user.is_authenticated
        token = invitations.new_token(obj)
        obj.created, obj.created_by = timezone.now(), request.user
        super().save_model(request, obj, form, change)
        log_event(
            SecurityEvent.INVITED,
            account=request.user.get_username(),
            address=client_address(request),
            invitation=obj.pk,
        )
        link = absolute_url(reverse("invitation", args=[token]))
        sentence = _("Send this link to the invited person. It is shown only now: %(link)s")
        self.message_user(request, sentence % {"link": link}, messages.SUCCESS)
        if settings.SIGNUP == "closed":
            closed = _("The link works once the operator has set SIGNUP=invite.")
            self.message_user(request, closed, messages.WARNING)


class RecordAdmin(LogsOwner):
    """A list without secrets, from which rows can be deleted."""

    list_select_related = ("user",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


for model in (EmailAddress, Authenticator, UserSession):
    admin.site.unregister(model)


@admin.register(Authenticator)
class AuthenticatorAdmin(RecordAdmin):
    """Second factors. Deleting all of an account helps a user whose phone is lost."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__username",)
    fields = ("user", "type", "created_at", "last_used_at")

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        log_event(
            SecurityEvent.SECOND_FACTOR_REMOVED,
            account=obj.user.get_username(),
            address=client_address(request),
            factor=obj.type,
            by=request.user.get_username(),
        )
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        for authenticator in queryset:
            self.delete_model(request, authenticator)


@admin.register(EmailAddress)
class EmailAddressAdmin(RecordAdmin):
    list_display = ("user", "email", "verified", "primary")
    search_fields = ("user__username", "email")


@admin.register(UserSession)
class UserSessionAdmin(RecordAdmin):
    """Browsers in which users are signed in. Deleting a row ends the session."""

    list_display = ("user", "ip", "user_agent", "created_at")
    search_fields = ("user__username",)
    fields = ("user", "ip", "user_agent", "created_at")

    def delete_model(self, request: HttpRequest, obj: UserSession) -> None:
        obj.end()
        report_change(obj.user_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        for session in queryset:
            self.delete_model(request, session)


if apps.is_installed("allauth.socialaccount"):
    from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken

    for social_model in (SocialAccount, SocialApp, SocialToken):
        admin.site.unregister(social_model)

    @admin.register(SocialAccount)
    class SocialAccountAdmin(RecordAdmin):
        """Accounts at the OpenID provider. Deleting a row disconnects it."""

        list_display = ("user", "uid", "date_joined", "last_login")
        search_fields = ("user__username", "uid")
        fields = ("user", "uid", "date_joined", "last_login")
