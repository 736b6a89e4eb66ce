"""Decisions of staff about pictures, and the appeals of their owners."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from generation import limits
from generation.choices import ReviewState, WordAction
from generation.models.images import GeneratedImage
from generation.unicode_text import folded_words

MAX_FOLDED = 2 * limits.MAX_RULE_WORDS
"""Casefolding makes some letters longer."""


class ReviewReason(models.Model):
    """A preset reason, in the languages of the interface; the owner of the picture reads it."""

    english = models.CharField(_("in English"), max_length=limits.MAX_REVIEW_REASON)
    chinese = models.CharField(_("in Chinese"), max_length=limits.MAX_REVIEW_REASON)
    position = models.PositiveSmallIntegerField(
        _("position"), default=0, help_text=_("Its key on the review page: 1 to 9.")
    )
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("review reason")
        verbose_name_plural = _("review reasons")
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.chinese if (get_language() or "").startswith("zh") else self.english


class Review(models.Model):
    """One decision about one picture; written once by `services`, never updated.

    `version`: 1, 2, 3 … for each picture; the newest counts. The texts of the reason are copied,
    because presets can be edited. `reviewer` is None after a word rule, and after the deletion of
    the account, whose name stays. It also stays without the picture, until its owner's account is
    deleted: `task`, `image_index` and `sha256` say which one it was.
    """

    image = models.ForeignKey(
        GeneratedImage, models.SET_NULL, null=True, blank=True, related_name="reviews"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, editable=False, related_name="+"
    )
    task = models.UUIDField(null=True, editable=False)
    image_index = models.PositiveSmallIntegerField(_("picture"), null=True, editable=False)
    sha256 = models.CharField(max_length=64, default="", db_default="", editable=False)
    version = models.PositiveIntegerField(_("number"))
    state = models.CharField(_("decision"), max_length=12, choices=ReviewState.choices)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("reviewer"),
    )
    reviewer_name = models.CharField(_("name"), max_length=150, blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    """Whose decision it is: after an undo of the reviewer that of the restored one."""
    reason_english = models.CharField(
        _("reason"), max_length=limits.MAX_REVIEW_REASON, blank=True, default=""
    )
    reason_chinese = models.CharField(
        _("reason in Chinese"), max_length=limits.MAX_REVIEW_REASON, blank=True, default=""
    )
    note = models.CharField(_("note"), max_length=limits.MAX_REVIEW_NOTE, blank=True, default="")
    was_withheld = models.BooleanField(default=False, db_default=False, editable=False)
    """Whether the picture was withheld before this decision, for `undo`."""
    created = models.DateTimeField(_("decided"))

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        constraints = (
            UniqueConstraint(fields=["image", "version"], name="one_review_per_version"),
            CheckConstraint(
                condition=~Q(state=ReviewState.HIDDEN) | ~Q(reason_english="", note=""),
                name="hidden_says_why",
            ),
        )
        indexes = (
            Index("reviewer", F("created").desc(), name="reviews_of_reviewer"),
            Index(F("created").desc(), F("id").desc(), name="reviews_newest_first"),
            Index(fields=["owner", "sha256"], name="reviews_by_content"),
            Index(
                "owner",
                F("created").desc(),
                condition=Q(image__isnull=True),
                name="reviews_without_picture",
            ),
        )

    def __str__(self) -> str:
        return f"{self.version} {self.get_state_display()}"

    @property
    def reason(self) -> str:
        """In the active language."""
        chinese = (get_language() or "").startswith("zh")
        return self.reason_chinese if chinese else self.reason_english


class ReviewClaim(models.Model):
    """A picture that a reviewer has in hand; until then other reviewers get different ones."""

    image = models.OneToOneField(GeneratedImage, models.CASCADE, related_name="claim")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    until = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("picture in review")
        verbose_name_plural = _("pictures in review")
        indexes = (Index(fields=["until"], name="claims_by_end"),)

    def __str__(self) -> str:
        return f"{self.image_id} {self.reviewer_id}"


class Appeal(models.Model):
    """What an owner says against the hiding of a picture; another one after it was granted.

    `answer`: the first decision after it; None while it waits for one.
    """

    image = models.OneToOneField(GeneratedImage, models.CASCADE, related_name="appeal")
    text = models.CharField(_("appeal"), max_length=limits.MAX_APPEAL)
    created = models.DateTimeField(_("sent"))
    answer = models.ForeignKey(
        Review, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("answer")
    )
    is_open = models.BooleanField(_("waits"), default=True)

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        indexes = (Index(fields=["created"], condition=Q(is_open=True), name="appeals_that_wait"),)

    def __str__(self) -> str:
        return f"{self.image_id} {self.created:%Y-%m-%d}"


class WordRule(models.Model):
    """Words in a prompt that hold its pictures back, flag them, or refuse the task.

    `folded`: the words as prompts are compared: without case and width.
    """

    words = models.CharField(
        _("words"),
        max_length=limits.MAX_RULE_WORDS,
        help_text=_("Found anywhere in a prompt; upper and lower case, full and half width match."),
    )
    folded = models.CharField(max_length=MAX_FOLDED, editable=False, unique=True)
    action = models.CharField(_("action"), max_length=8, choices=WordAction.choices)
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("word rule")
        verbose_name_plural = _("word rules")
        ordering = ("folded",)

    def __str__(self) -> str:
        return self.words

    def clean(self) -> None:
        self.folded = folded_words(self.words)
        if not 0 < len(self.folded) <= MAX_FOLDED:
            raise ValidationError({"words": _("These words cannot be compared.")})
        others = WordRule.objects.exclude(pk=self.pk)
        if others.filter(folded=self.folded).exists():
            raise ValidationError({"words": _("There is a rule for these words already.")})
        if others.count() >= limits.MAX_WORD_RULES:
            raise ValidationError(_("There are too many rules. Delete some first."))

    def save(self, *args: Any, **options: Any) -> None:
        self.folded = folded_words(self.words)
        super().save(*args, **options)
