"""Stored pictures."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from generation import limits
from generation.choices import ReviewState
from generation.models.tasks import GenerationTask
from generation.protocol import ImageData


class ImageQuerySet(models.QuerySet["GeneratedImage"]):
    def live(self) -> Self:
        """Those outside the trash."""
        return self.filter(deleted_at__isnull=True)

    def shown(self) -> Self:
        """Those whose files their owners, links and programs get."""
        return self.live().filter(withheld=False)


class GeneratedImage(models.Model):
    """One stored picture; `file` and `thumbnail` are names below MEDIA_ROOT."""

    task = models.ForeignKey(GenerationTask, models.CASCADE, related_name="images")
    index = models.PositiveSmallIntegerField(_("picture"))
    file = models.CharField(_("file"), max_length=200, unique=True)
    thumbnail = models.CharField(_("thumbnail"), max_length=200, blank=True, default="")
    width = models.PositiveSmallIntegerField(_("width"))
    height = models.PositiveSmallIntegerField(_("height"))
    seed = models.BigIntegerField(_("seed"))
    bytes = models.PositiveIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    demo = models.BooleanField(_("drawn by the demo model"), default=False)
    favourite = models.BooleanField(_("favourite"), default=False)
    deleted_at = models.DateTimeField(_("moved to the trash"), null=True, blank=True)
    restored_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When it was last restored from the trash: older share links do not show it again."""

    review_state = models.CharField(
        _("review"),
        max_length=12,
        choices=ReviewState.choices,
        default=ReviewState.UNREVIEWED,
        db_default=ReviewState.UNREVIEWED,
    )
    review_version = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    """Number of its newest review: a decision about an older one is refused."""
    withheld = models.BooleanField(_("withheld"), default=False, db_default=False)
    """Whether its owner and those with a link do not get it: hidden, or not approved yet."""
    similarity = models.BigIntegerField(null=True, editable=False)
    """A hash of what it shows; that of a picture that looks the same differs in few bits."""

    objects = ImageQuerySet.as_manager()

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        ordering = ("task", "index")
        constraints = (
            UniqueConstraint(fields=["task", "index"], name="one_picture_per_index"),
            CheckConstraint(
                condition=Q(index__range=(1, limits.MAX_IMAGES)), name="picture_index_in_range"
            ),
        )
        indexes = (
            Index(
                fields=["deleted_at"],
                condition=Q(deleted_at__isnull=False),
                name="pictures_in_trash",
            ),
            Index(fields=["task"], condition=Q(favourite=True), name="favourite_pictures"),
            Index(fields=["seed"], name="pictures_by_seed"),
            Index(fields=["review_state", "id"], name="pictures_by_review"),
            Index(fields=["similarity"], name="pictures_by_similarity"),
        )

    def __str__(self) -> str:
        return f"{self.task_id} {self.index}"

    @property
    def data(self) -> ImageData:
        data: ImageData = {
            "index": self.index,
            "url": reverse("picture", args=[self.task_id, self.index]),
            "thumbnail_url": reverse("thumbnail", args=[self.task_id, self.index]),
            "width": self.width,
            "height": self.height,
            "seed": self.seed,
            "demo": self.demo,
        }
        if self.withheld:
            data["withheld"] = True
        return data
