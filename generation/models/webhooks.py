"""Receivers of messages about tasks, how far each has read, and what became of each message."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Index, Q, UniqueConstraint
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiToken
from generation import limits
from generation.choices import EventKind, WebhookOutcome
from generation.models.tasks import GenerationTask

TEST = "test"
"""The kind of a message that is about no task."""


class WebhookEndpoint(models.Model):
    """An address that receives the events of all tasks of its owner, or of one task.

    `events`: kinds that it receives besides those that end a task, separated by spaces. `secret`
    is encrypted. `failing_since`: the first failure after the last success. `off_at`: when it was
    turned off because of that. `token`: the one that set the address, if a program did. The webhook
    is deleted with it, so that a revoked program cannot keep receiving.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="webhooks", verbose_name=_("owner")
    )
    task = models.OneToOneField(
        GenerationTask,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="webhook",
        verbose_name=_("task"),
    )
    token = models.ForeignKey(
        ApiToken,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="webhooks",
        verbose_name=_("API token"),
    )
    url = models.CharField(_("address"), max_length=limits.MAX_WEBHOOK_URL)
    secret = models.TextField(editable=False)
    events = models.CharField(_("events"), max_length=200, blank=True, default="")
    enabled = models.BooleanField(_("enabled"), default=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    off_at = models.DateTimeField(_("turned off at"), null=True, blank=True)
    created = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.url

    @property
    def is_expired(self) -> bool:
        """Whether its token has expired: it receives nothing."""
        expires_at = None if self.token is None else self.token.expires_at
        return expires_at is not None and expires_at <= timezone.now()

    @property
    def kinds(self) -> list[str]:
        return self.events.split()


class WebhookCursor(models.Model):
    """How much of a task's log a webhook has received; deleted with the last message.

    `due_at`: nothing is sent earlier. A worker moves it forward by compare-and-set before it
    sends, so it is the lease too.
    """

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="cursors")
    task = models.ForeignKey(GenerationTask, models.CASCADE, related_name="+")
    sent_seq = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()

    class Meta:
        verbose_name = _("webhook cursor")
        verbose_name_plural = _("webhook cursors")
        constraints = (
            UniqueConstraint(fields=["endpoint", "task"], name="one_cursor_per_webhook_and_task"),
        )
        indexes = (Index(fields=["due_at"], name="webhook_cursors_due"),)

    def __str__(self) -> str:
        return f"{self.task_id}: {self.sent_seq}"


class WebhookAttempt(models.Model):
    """One request to a webhook, or one that its owner asked for and that was not sent yet.

    `started_at` is None for the latter, `seconds` until the outcome is recorded. Without a task it
    is a test, and `seq` counts the tests.
    """

    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, related_name="attempts", verbose_name=_("webhook")
    )
    task = models.ForeignKey(
        GenerationTask,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("task"),
    )
    seq = models.PositiveIntegerField(_("number of the event"), default=0)
    kind = models.CharField(_("kind"), max_length=16)
    is_requested = models.BooleanField(_("asked for by the owner"), default=False)
    created = models.DateTimeField(_("created"))
    started_at = models.DateTimeField(_("sent"), null=True, blank=True)
    seconds = models.FloatField(_("seconds"), null=True, blank=True)
    outcome = models.CharField(
        _("outcome"), max_length=12, choices=WebhookOutcome.choices, blank=True, default=""
    )
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    excerpt = models.TextField(_("response"), blank=True, default="")

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        indexes = (
            Index("endpoint", models.F("id").desc(), name="webhook_attempts_newest"),
            Index(fields=["created"], name="webhook_attempts_by_age"),
            Index(
                fields=["id"], condition=Q(seconds__isnull=True), name="webhook_attempts_unrecorded"
            ),
        )

    def __str__(self) -> str:
        return f"{self.message_id} {self.get_outcome_display()}"

    @property
    def message_id(self) -> str:
        return message_id(self.task_id or self.endpoint_id, self.seq)

    @property
    def type(self) -> str:
        return type_of(self.kind)

    @property
    def title(self) -> str:
        """What it was about, for people."""
        return gettext("Test") if self.kind == TEST else str(EventKind(self.kind).label)


def message_id(subject: uuid.UUID, number: int) -> str:
    """The same for each attempt of a message, so that receivers recognise repeated ones.

    `subject`: the task, or the webhook that is tested.
    """
    return f"msg_{subject}_{number}"


def type_of(kind: str) -> str:
    return kind if kind == TEST else f"task.{kind}"
