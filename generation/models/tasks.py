"""Tasks and their append-only logs."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint
from django.db.models.functions import Mod
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from generation import limits
from generation.choices import TERMINAL, UNFINISHED, Basis, EventKind, Step, TaskStatus, WordAction
from generation.protocol import TaskData
from generation.staff_permissions import VIEW_ALL

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


SIDE_RANGE = (limits.MIN_SIDE, limits.MAX_SIDE)


class TaskQuerySet(models.QuerySet["GenerationTask"]):
    def visible_to(
        self, user: User | AnonymousUser, *, among: Collection[uuid.UUID] | None = None
    ) -> Self:
        """The user's own tasks outside the trash; with VIEW_ALL also all tasks of other users.

        `among`: only those with these keys.
        """
        if not user.is_active or user.pk is None:
            return self.none()
        if user.has_perm(VIEW_ALL):
            named = self if among is None else self.filter(pk__in=among)
            return named.exclude(owner=user, deleted_at__isnull=False)
        owned = self.filter(owner=user) if among is None else self.owned_among(user.pk, among)
        return owned.live()

    def owned_among(self, owner_id: int, keys: Collection[uuid.UUID]) -> Self:
        """The owner's tasks with these keys."""
        return self.filter(pk__in=keys).narrowed_to(owner_id)

    def narrowed_to(self, owner_id: int) -> Self:
        """Those of an owner, after a condition that leaves few of all tasks.

        An expression instead of the column: without statistics SQLite would rather read all tasks
        of the owner by an index.
        """
        return self.alias(whose=F("owner") + 0).filter(whose=owner_id)

    def live(self) -> Self:
        return self.filter(deleted_at__isnull=True)

    def waiting(self) -> Self:
        return self.filter(status=TaskStatus.QUEUED)

    def running(self) -> Self:
        return self.filter(status=TaskStatus.RUNNING)

    def unfinished(self) -> Self:
        return self.filter(status__in=UNFINISHED)

    def claimable(self) -> Self:
        """Queued, without a cancel request, and no earlier attempt still holds a slot."""
        return self.waiting().filter(cancel_requested_at__isnull=True, slot__isnull=True)

    def newest_first(self) -> Self:
        return self.order_by("-created", "-id")


class GenerationTask(models.Model):
    """One submission: its settings, which never change, and its state, the fold of its log."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="tasks", verbose_name=_("owner")
    )
    request_key = models.UUIDField(_("request key"), null=True, blank=True)
    correlation_id = models.CharField(max_length=64, default="", db_default="", editable=False)
    """Of the request or socket that submitted it; in log lines of its attempts."""
    parent = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="retries",
        verbose_name=_("made from"),
    )

    prompt = models.TextField(_("prompt"))
    negative_prompt = models.TextField(_("negative prompt"), blank=True)
    model = models.CharField(_("model"), max_length=limits.MAX_MODEL_NAME)
    width = models.PositiveSmallIntegerField(_("width"))
    height = models.PositiveSmallIntegerField(_("height"))
    image_count = models.PositiveSmallIntegerField(_("pictures"))
    steps = models.PositiveSmallIntegerField(_("steps"))
    guidance = models.FloatField(_("guidance"))
    requested_seed = models.BigIntegerField(_("requested seed"), null=True, blank=True)
    expected_durations = models.JSONField(_("expected seconds per step"), default=dict)
    search_text = models.TextField(editable=False, default="", db_default="")
    """Prompt and model, casefolded: SQLite folds only ASCII, and no database folds width."""

    status = models.CharField(
        _("status"), max_length=12, choices=TaskStatus.choices, default=TaskStatus.QUEUED
    )
    step = models.CharField(_("step"), max_length=12, choices=Step.choices, default=Step.PARSING)
    progress = models.FloatField(_("percent"), default=0)
    basis = models.CharField(
        _("basis"), max_length=10, choices=Basis.choices, default=Basis.MEASURED
    )
    eta_seconds = models.FloatField(_("remaining seconds"), null=True, blank=True)
    current_image = models.PositiveSmallIntegerField(_("current picture"), default=0)
    newest_seq = models.PositiveIntegerField(_("events"), default=0)
    attempt = models.PositiveIntegerField(_("attempt"), default=0)
    failed_attempts = models.PositiveSmallIntegerField(_("attempts used"), default=0)
    uncounted_interruptions = models.PositiveIntegerField(_("uncounted interruptions"), default=0)
    retry_at = models.DateTimeField(_("next retry not before"), null=True, blank=True)
    seed = models.BigIntegerField(_("seed"), null=True, blank=True)
    cancel_requested_at = models.DateTimeField(_("cancel requested"), null=True, blank=True)
    cancel_after = models.DateTimeField(_("time limit"), null=True, blank=True)
    """Set by its submission: when it is cancelled unless it is over."""
    error_code = models.CharField(_("error"), max_length=32, blank=True, default="")
    error_detail = models.TextField(_("message of the model server"), blank=True, default="")

    created = models.DateTimeField(_("submitted"))
    claimed_at = models.DateTimeField(_("last claimed by a worker"), null=True, blank=True)
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)
    wait_seconds = models.FloatField(_("seconds in the queue"), null=True, blank=True)
    run_seconds = models.FloatField(_("seconds drawing"), default=0)
    measured_durations = models.JSONField(_("measured seconds per step"), default=dict, blank=True)
    deleted_at = models.DateTimeField(_("moved to the trash"), null=True, blank=True)
    prompt_removed_at = models.DateTimeField(_("prompt removed"), null=True, blank=True)
    log_pruned_at = models.DateTimeField(_("log shortened"), null=True, blank=True)
    """When retention deleted most of its events and numbered the others again."""
    charged_on = models.DateField(null=True, editable=False)
    """The day from whose limits it took pictures and effort; None if it took nothing."""
    charged_images = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    charged_effort = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    """What it took, without what its end gave back."""
    word_action = models.CharField(
        _("words found"),
        max_length=8,
        choices=WordAction.choices,
        blank=True,
        default="",
        db_default="",
    )
    """What a word rule asks for its pictures: HOLD or FLAG; empty if no rule matched."""

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("generation task")
        verbose_name_plural = _("generation tasks")
        constraints = (
            UniqueConstraint(fields=["owner", "request_key"], name="one_task_per_request_key"),
            CheckConstraint(condition=Q(progress__range=(0, 100)), name="progress_is_a_percent"),
            CheckConstraint(
                condition=Q(image_count__range=(1, limits.MAX_IMAGES)), name="one_to_four_pictures"
            ),
            CheckConstraint(
                condition=Q(steps__range=(1, limits.MAX_STEPS)), name="one_to_hundred_steps"
            ),
            CheckConstraint(
                condition=Q(width__range=SIDE_RANGE, height__range=SIDE_RANGE),
                name="size_in_range",
            ),
            CheckConstraint(
                condition=Exact(Mod(F("width"), limits.SIDE_MULTIPLE), 0)
                & Exact(Mod(F("height"), limits.SIDE_MULTIPLE), 0),
                name="size_in_sixteens",
            ),
            CheckConstraint(
                condition=Q(requested_seed__isnull=True)
                | Q(requested_seed__range=(0, limits.MAX_SEED)),
                name="seed_is_32_bit",
            ),
            CheckConstraint(
                condition=Q(status__in=sorted(TERMINAL), finished_at__isnull=False)
                | Q(status__in=sorted(UNFINISHED), finished_at__isnull=True),
                name="finished_iff_terminal",
            ),
            CheckConstraint(
                condition=~Q(status=TaskStatus.COMPLETED)
                | Q(cancel_requested_at__isnull=True, progress=100),
                name="completed_means_whole_and_wanted",
            ),
            CheckConstraint(
                condition=~Q(status=TaskStatus.CANCELLED) | Q(cancel_requested_at__isnull=False),
                name="cancelled_was_requested",
            ),
            CheckConstraint(
                condition=Q(status=TaskStatus.FAILED) ^ Q(error_code=""), name="failed_says_why"
            ),
        )
        indexes = (
            Index("owner", F("created").desc(), F("id").desc(), name="tasks_of_owner"),
            Index(F("created").desc(), F("id").desc(), name="tasks_newest_first"),
            # covers the queries of the queue; not partial, because SQLite cannot prove the
            # condition of an index against a bound parameter
            Index(
                fields=[
                    "status",
                    "model",
                    "owner",
                    "created",
                    "id",
                    "retry_at",
                    "cancel_requested_at",
                ],
                name="tasks_by_status",
            ),
            Index("owner", F("claimed_at").desc(), name="tasks_last_served"),
            # unfinished tasks of one owner, however long the history is; without the id SQLite
            # prefers tasks_by_status, which has the tasks of all owners
            Index(fields=["owner", "status", "created", "id"], name="tasks_of_owner_by_status"),
            Index(
                fields=["deleted_at"], condition=Q(deleted_at__isnull=False), name="tasks_in_trash"
            ),
            Index(
                fields=["cancel_after"],
                condition=Q(cancel_after__isnull=False, finished_at__isnull=True),
                name="tasks_with_time_limit",
            ),
            # ended tasks of an owner that retention has yet to change
            Index(
                fields=["owner", "finished_at"],
                condition=Q(finished_at__isnull=False, prompt_removed_at__isnull=True),
                name="tasks_with_prompt",
            ),
            Index(
                fields=["owner", "finished_at"],
                condition=Q(finished_at__isnull=False, log_pruned_at__isnull=True),
                name="tasks_with_whole_log",
            ),
            # medians of recent durations, for percent weights and waiting times
            Index("status", "model", F("finished_at").desc(), name="tasks_by_end"),
            # other tasks with the same prompt; a tree of PostgreSQL refuses long texts
            HashIndex(fields=["prompt"], name="tasks_by_prompt"),
            # those that ended in a minute, of any status and model
            Index(
                fields=["finished_at"],
                condition=Q(finished_at__isnull=False),
                name="tasks_ended",
            ),
        )

    def __str__(self) -> str:
        return f"{self.prompt[:40]} ({self.id})".lstrip()

    def is_visible_to(self, user: User | AnonymousUser) -> bool:
        """`visible_to` for one row; for an own task no permission is queried."""
        if not user.is_active or user.pk is None:
            return False
        if self.owner_id == user.pk:
            return self.deleted_at is None
        return user.has_perm(VIEW_ALL)

    @property
    def is_over(self) -> bool:
        return self.status in TERMINAL

    @property
    def data(self) -> TaskData:
        data: TaskData = {
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt,
            "model": self.model,
            "width": self.width,
            "height": self.height,
            "n": self.image_count,
            "steps": self.steps,
            "guidance": self.guidance,
            "seed": self.requested_seed,
            "parent": str(self.parent_id) if self.parent_id else None,
            "created": round(self.created.timestamp(), 3),
            "request_key": str(self.request_key) if self.request_key else None,
            "cancel_after": timestamp_of(self.cancel_after),
            "expected": self.expected_durations,
        }
        if self.prompt_removed_at is not None:
            data["prompt_removed_at"] = round(self.prompt_removed_at.timestamp(), 3)
        if self.log_pruned_at is not None:
            data["log_pruned_at"] = round(self.log_pruned_at.timestamp(), 3)
        return data


def timestamp_of(moment: datetime | None) -> float | None:
    """Unix seconds, in milliseconds."""
    return None if moment is None else round(moment.timestamp(), 3)


class TaskEvent(models.Model):
    """One entry of a task's log; written once by `services`, never updated."""

    task = models.ForeignKey(GenerationTask, models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=16, choices=EventKind.choices)
    step = models.CharField(_("step"), max_length=12, choices=Step.choices)
    progress = models.FloatField(_("percent"))
    attempt = models.PositiveIntegerField(_("attempt"))
    details = models.JSONField(_("details"), default=dict)
    frame = models.TextField(_("frame"))
    created_at = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = (UniqueConstraint(fields=["task", "seq"], name="one_event_per_seq"),)

    def __str__(self) -> str:
        return f"{self.seq} {self.get_kind_display()}"
