"""Lists that staff have named."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import UniqueConstraint
from django.utils.translation import gettext_lazy as _

from generation import limits


class SavedView(models.Model):
    """The filters of the staff's list of tasks, under a name; of one user."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="saved_views",
        verbose_name=_("owner"),
    )
    name = models.CharField(_("name"), max_length=limits.MAX_VIEW_NAME)
    query = models.CharField(_("filters"), max_length=limits.MAX_VIEW_QUERY)
    """A query string of the list."""

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        default_permissions = ()
        ordering = ("pk",)
        constraints = (UniqueConstraint(fields=["owner", "name"], name="one_saved_view_per_name"),)

    def __str__(self) -> str:
        return self.name
