"""What is wrong with the installation, and the messages to operators about it."""

from __future__ import annotations

from django.db import models
from django.db.models import Index, Q, UniqueConstraint
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generation.choices import AlarmKind, AlertChannel
from generation.limits import MAX_MODEL_NAME


class Incident(models.Model):
    """One alarm, from the first time that its cause was seen until its all-clear.

    `opened_at`: when it had lasted long enough; None: nothing was sent. `clear_since`: since when
    its cause has been gone. `subject`: the model that it is about, if any.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=AlarmKind.choices)
    subject = models.CharField(_("subject"), max_length=MAX_MODEL_NAME, blank=True, default="")
    detail = models.TextField(_("cause"), blank=True, default="")
    since = models.DateTimeField(_("began"))
    opened_at = models.DateTimeField(_("reported"), null=True, blank=True)
    clear_since = models.DateTimeField(_("gone since"), null=True, blank=True)
    closed_at = models.DateTimeField(_("over"), null=True, blank=True)

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        constraints = (
            UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(closed_at__isnull=True),
                name="one_open_incident_per_cause",
            ),
        )
        indexes = (Index(fields=["closed_at"], name="incidents_by_end"),)

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        alarm = str(AlarmKind(self.kind).label)
        if not self.subject:
            return alarm
        return gettext("{alarm}: {subject}").format(alarm=alarm, subject=self.subject)


class IncidentNotice(models.Model):
    """One message about an incident by one channel: of its beginning, or of its end.

    `due_at`: when it is sent, or sent again; a process moves it by compare-and-set before it
    sends. None: it was delivered, or given up.
    """

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="notices")
    channel = models.CharField(_("channel"), max_length=8, choices=AlertChannel.choices)
    is_clear = models.BooleanField(_("all-clear"), default=False)
    created = models.DateTimeField(_("created"))
    due_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("message about an incident")
        verbose_name_plural = _("messages about incidents")
        constraints = (
            UniqueConstraint(
                fields=["incident", "channel", "is_clear"], name="one_notice_per_channel"
            ),
        )
        indexes = (
            Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="incident_notices_due"
            ),
        )

    def __str__(self) -> str:
        return f"{self.incident}: {self.get_channel_display()}"


class AlarmWatch(models.Model):
    """The single row by which processes take turns: `due_at` is when the next may watch."""

    due_at = models.DateTimeField()

    class Meta:
        verbose_name = _("alarm watch")
        verbose_name_plural = _("alarm watches")

    def __str__(self) -> str:
        return f"{self.due_at:%Y-%m-%d %H:%M:%S}"
