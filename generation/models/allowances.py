"""Limits of users and groups that differ from the settings, and what users have used."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from generation.choices import LimitKind


class LimitOverride(models.Model):
    """One limit of a user or of a group; a user's own precedes those of groups."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="limit_overrides",
        verbose_name=_("user"),
    )
    group = models.ForeignKey(
        Group,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="limit_overrides",
        verbose_name=_("group"),
    )
    kind = models.CharField(_("limit"), max_length=12, choices=LimitKind.choices)
    value = models.PositiveBigIntegerField(
        _("value"), null=True, blank=True, help_text=_("Empty: unlimited.")
    )

    class Meta:
        verbose_name = _("limit of a user or group")
        verbose_name_plural = _("limits of users and groups")
        constraints = (
            CheckConstraint(
                condition=Q(user__isnull=True) ^ Q(group__isnull=True),
                name="limit_of_user_or_group",
                violation_error_message=_("Choose a user or a group, not both."),
            ),
            UniqueConstraint(fields=["user", "kind"], name="one_limit_per_user_and_kind"),
            UniqueConstraint(fields=["group", "kind"], name="one_limit_per_group_and_kind"),
        )

    def __str__(self) -> str:
        value = "∞" if self.value is None else self.value
        return f"{self.user or self.group}: {self.get_kind_display()} {value}"


class LimitUsage(models.Model):
    """How much of a limit a user has used in a period.

    `period`: a day or a minute (`selectors.period_of`); empty for storage, which has none.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=LimitKind.choices)
    period = models.CharField(max_length=16, blank=True, default="")
    used = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = _("usage")
        verbose_name_plural = _("usages")
        constraints = (
            UniqueConstraint(fields=["owner", "kind", "period"], name="one_usage_per_period"),
        )
        indexes = (Index(fields=["period"], name="usages_by_period"),)

    def __str__(self) -> str:
        return f"{self.owner_id} {self.kind} {self.period}: {self.used}"
