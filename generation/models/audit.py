"""What staff did to the tasks of users and to the installation."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Index
from django.utils.translation import gettext_lazy as _

from generation.choices import AuditAction


class AuditEntry(models.Model):
    """One action; written once by `services`, never updated, read-only for all.

    Names stay when accounts are deleted. `task` has no foreign key: the entry outlives the task.
    `details` holds numbers, codes and states, never prompts.
    """

    created = models.DateTimeField(_("time"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("account"),
    )
    actor_name = models.CharField(_("account name"), max_length=150)
    address = models.CharField(_("address"), max_length=45, blank=True, default="")
    action = models.CharField(_("action"), max_length=32, choices=AuditAction.choices)
    task = models.UUIDField(_("task"), null=True)
    image_index = models.PositiveSmallIntegerField(_("picture"), null=True)
    owner_name = models.CharField(_("owner"), max_length=150, blank=True, default="")
    """Name of the account to which the task belongs, or which was changed."""
    details = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        # nothing adds, changes or deletes entries but the services
        default_permissions = ("view",)
        indexes = (
            Index(F("created").desc(), F("id").desc(), name="audit_newest_first"),
            Index(fields=["task"], name="audit_of_task"),
            Index("actor", F("created").desc(), name="audit_of_actor"),
        )

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.get_action_display()}"
