"""How long data of users and groups is kept, and the nightly runs that delete it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from generation.choices import RetentionKind
from generation.limits import MAX_DAYS_KEPT


class RetentionRule(models.Model):
    """How many days one kind of data of a user or of a group is kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="retention_rules",
        verbose_name=_("user"),
    )
    group = models.ForeignKey(
        Group,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="retention_rules",
        verbose_name=_("group"),
    )
    kind = models.CharField(_("what is kept"), max_length=12, choices=RetentionKind.choices)
    days = models.PositiveIntegerField(
        _("days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_DAYS_KEPT)],
        help_text=_("Empty: kept for ever."),
    )

    class Meta:
        verbose_name = _("retention of a user or group")
        verbose_name_plural = _("retention of users and groups")
        constraints = (
            CheckConstraint(
                condition=Q(user__isnull=True) ^ Q(group__isnull=True),
                name="retention_of_user_or_group",
                violation_error_message=_("Choose a user or a group, not both."),
            ),
            CheckConstraint(
                condition=Q(days__isnull=True) | Q(days__range=(1, MAX_DAYS_KEPT)),
                name="kept_for_a_day_or_longer",
            ),
            UniqueConstraint(fields=["user", "kind"], name="one_retention_per_user_and_kind"),
            UniqueConstraint(fields=["group", "kind"], name="one_retention_per_group_and_kind"),
        )

    def __str__(self) -> str:
        days = "∞" if self.days is None else self.days
        return f"{self.user or self.group}: {self.get_kind_display()} {days}"


class PruneRun(models.Model):
    """The run of one day of TIME_ZONE, and what it deleted so far.

    It goes through the users in the order of their keys; `last_owner`: the last one that is done.
    The worker that has the lease continues it. `failed`: keys of tasks whose prompts it could not
    remove, because a picture of theirs cannot be read or written.
    """

    day = models.DateField(_("day"), unique=True)
    worker = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    last_owner = models.BigIntegerField(default=0, editable=False)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("ended"), null=True)
    prompts = models.PositiveBigIntegerField(_("prompts removed"), default=0)
    logs = models.PositiveBigIntegerField(_("logs shortened"), default=0)
    events = models.PositiveBigIntegerField(_("events deleted"), default=0)
    pictures = models.PositiveBigIntegerField(_("pictures moved to the trash"), default=0)
    bytes = models.PositiveBigIntegerField(_("bytes of these pictures"), default=0)
    failed = models.JSONField(_("prompts not removed"), default=list, db_default=[])

    class Meta:
        verbose_name = _("retention run")
        verbose_name_plural = _("retention runs")

    def __str__(self) -> str:
        return str(self.day)
