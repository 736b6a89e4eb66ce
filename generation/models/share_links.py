"""Access to a task without an account."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from generation.models.tasks import GenerationTask


class ShareLink(models.Model):
    """A read-only address of one task that stops working at `expires_at`."""

    task = models.ForeignKey(
        GenerationTask, models.CASCADE, related_name="share_links", verbose_name=_("task")
    )
    token_hash = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))

    class Meta:
        verbose_name = _("share link")
        verbose_name_plural = _("share links")

    def __str__(self) -> str:
        return f"{self.task_id} → {self.expires_at:%Y-%m-%d %H:%M}"
