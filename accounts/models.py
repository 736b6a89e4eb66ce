"""API tokens, invitations, and accounts that their users want to be deleted."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _


class Language(models.TextChoices):
    BROWSER = "", _("as the browser asks")
    CHINESE = "zh-hans", "中文"
    ENGLISH = "en", "English"


class Theme(models.TextChoices):
    SYSTEM = "", _("as the device")
    LIGHT = "light", _("light")
    DARK = "dark", _("dark")


MAX_SHOWN_NAME = 80


class Profile(models.Model):
    """How a user is named, and what follows the user to every browser.

    Stored when something is chosen first; a user without one has all defaults.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="profile",
        verbose_name=_("user"),
    )
    shown_name = models.CharField(
        _("shown name"), max_length=MAX_SHOWN_NAME, blank=True, default=""
    )
    language = models.CharField(
        _("language"), max_length=8, blank=True, default="", choices=Language.choices
    )
    theme = models.CharField(
        _("theme"), max_length=8, blank=True, default="", choices=Theme.choices
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        default="",
        help_text=_("Empty: that of the installation."),
    )

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(language__in=Language.values), name="profile_language"
            ),
            models.CheckConstraint(
                condition=models.Q(theme__in=Theme.values), name="profile_theme"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.shown_name}"


class TokenScope(models.TextChoices):
    """What a token may do."""

    READ = "read", _("read")
    WRITE = "write", _("read and change")


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def valid(self, *, now: datetime) -> ApiTokenQuerySet:
        """Those that have not expired, of accounts that are not going to be deleted."""
        in_time = models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=now)
        return self.filter(in_time, owner__deletion__isnull=True)


class ApiToken(models.Model):
    """A key of a program; only its digest is stored."""

    digest = models.CharField(max_length=64, unique=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens", verbose_name=_("owner")
    )
    name = models.CharField(_("name"), max_length=100, blank=True, default="")
    created = models.DateTimeField(_("created"))
    last_used = models.DateTimeField(_("last used"), null=True, blank=True)
    scope = models.CharField(
        _("scope"), max_length=8, choices=TokenScope.choices, db_default=TokenScope.WRITE
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        # created by `generation`, which had the model first
        db_table = "generation_apitoken"
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(scope__in=TokenScope.values), name="api_token_scope"
            )
        ]

    def __str__(self) -> str:
        return self.name or f"…{self.digest[-6:]}"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def usable(self, now: datetime) -> InvitationQuerySet:
        return self.filter(used_at=None, expires_at__gt=now)


class Invitation(models.Model):
    """A link with which one person may sign up; only the digest of its token is stored."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    email = models.EmailField(
        _("e-mail address"),
        blank=True,
        default="",
        help_text=_("Counts as confirmed if the invited person uses the link."),
    )
    group = models.ForeignKey(
        Group, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("group")
    )
    is_staff = models.BooleanField(_("staff status"), default=False)
    expires_at = models.DateTimeField(_("expires"))
    created = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("created by"),
    )
    used_at = models.DateTimeField(_("used"), null=True)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("used by"),
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = (
            models.CheckConstraint(
                name="only_a_used_invitation_has_a_user",
                condition=models.Q(used_by=None) | models.Q(used_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.email or f"…{self.digest[-6:]}"


class AccountDeletion(models.Model):
    """Says when an account is deleted; until then its user can take that back."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="deletion",
        verbose_name=_("user"),
    )
    due_at = models.DateTimeField(_("due"), db_index=True)

    class Meta:
        verbose_name = _("deletion of an account")
        verbose_name_plural = _("deletions of accounts")

    def __str__(self) -> str:
        return f"{self.user_id} at {self.due_at:%Y-%m-%d %H:%M}"
