"""Writes of a worker during an attempt, all fenced by status and attempt."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery, TextField, UUIDField
from django.utils.translation import gettext as _
from django.utils.translation import override

from generation.choices import Basis, DelayReason, EventKind, ReviewState, Step, WordAction
from generation.compiled_query import CompiledQuery, Parameter
from generation.exceptions import TransitionRefused
from generation.images import Picture
from generation.models import GeneratedImage, GenerationTask, ModelSlot, Review
from generation.services.charges import add_storage
from generation.services.completion import completed, images_of, lock_task
from generation.services.slots import free_slot
from generation.services.transition import RUNNING, NewEvent, transition


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """A step that began; not `observed` if it was noticed only after it had passed."""

    step: Step
    progress: float
    basis: Basis
    eta_seconds: float | None
    image: int
    observed: bool = True
    details: dict[str, Any]

    @property
    def event(self) -> NewEvent:
        return NewEvent(
            kind=EventKind.STEP_BEGAN,
            details={"observed": self.observed, **self.details},
            changes={
                "step": self.step,
                "progress": self.progress,
                "basis": self.basis,
                "eta_seconds": self.eta_seconds,
                "current_image": self.image,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fraction:
    """The measured fraction of image number `image`, which is being generated."""

    progress: float
    eta_seconds: float
    image: int
    fraction: float
    done: int
    total: int

    @property
    def event(self) -> NewEvent:
        return NewEvent(
            kind=EventKind.PROGRESSED,
            details={"fraction": round(self.fraction, 4), "done": self.done, "total": self.total},
            changes={
                # stated because a later event of the same transaction may change them
                "step": Step.GENERATING,
                "current_image": self.image,
                "progress": self.progress,
                "basis": Basis.MEASURED,
                "eta_seconds": self.eta_seconds,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LastImage:
    """What storing the last image also needs: it completes the task and frees the slot."""

    slot_id: int
    measured: dict[str, float]


DECISIONS = Review.objects.filter(owner=OuterRef("owner"), sha256=Parameter("sha256", TextField()))
"""About a picture of the owner of a task with these bytes."""

RULES_OF_PICTURE = CompiledQuery(
    GenerationTask.objects.filter(pk=Parameter("task_id", UUIDField())).values_list(
        "word_action",
        # a flag leaves a picture as it is
        Subquery(DECISIONS.exclude(state=ReviewState.FLAGGED).order_by("-pk").values("state")[:1]),
    )
)
"""What the word rules ask for, and the state after the newest decision."""


def begin_call(
    *,
    task_id: uuid.UUID,
    attempt: int,
    slot_id: int,
    request_id: uuid.UUID,
    seed: int,
    boundary: Boundary,
    now: datetime,
) -> None:
    """Store the seed and the request id of a call before it is sent.

    Raises TransitionRefused if the task or the slot no longer belongs to this attempt.
    """
    with transaction.atomic():
        event = boundary.event.with_changes(seed=seed)
        transition(task_id=task_id, events=[event], sources=RUNNING, fence=attempt, now=now)
        slot = ModelSlot.objects.filter(pk=slot_id, task=task_id, attempt=attempt)
        if not slot.update(request_id=request_id):
            raise TransitionRefused


def record_progress(
    *, task_id: uuid.UUID, attempt: int, seen: Sequence[Boundary | Fraction], now: datetime
) -> None:
    """Write boundaries and fractions, oldest first, in one transaction."""
    events = [each.event for each in seen]
    transition(task_id=task_id, events=events, sources=RUNNING, fence=attempt, now=now)


def record_delay(
    *, task_id: uuid.UUID, attempt: int, reason: DelayReason, wait: timedelta, now: datetime
) -> None:
    """Record that the model server asked to call again later; the slot is kept."""
    event = NewEvent(
        kind=EventKind.DELAYED,
        details={"reason": reason.value, "until": round((now + wait).timestamp(), 3)},
        changes={"eta_seconds": None},
    )
    transition(task_id=task_id, events=[event], sources=RUNNING, fence=attempt, now=now)


def store_image(
    *,
    task_id: uuid.UUID,
    attempt: int,
    index: int,
    name: str,
    picture: Picture,
    seed: int,
    demo: bool,
    progress: float,
    eta_seconds: float,
    now: datetime,
    last: LastImage | None = None,
) -> GeneratedImage:
    """Create the row of an image whose file is in place.

    Returns the existing row if an earlier try stored it and its response was lost. With `last` the
    same transaction completes the task and frees the slot. Raises TransitionRefused once a cancel
    was requested, and with `last` also while another image is missing.

    With REVIEW=before, or if a word rule says so, it is withheld until a reviewer approves it. So
    is the same picture as one of this owner that was hidden: the same seed draws it again.
    """
    (words, state), *_none = RULES_OF_PICTURE.rows(task_id=task_id, sha256=picture.sha256) or [
        ("", None)
    ]
    was_hidden = state == ReviewState.HIDDEN
    flagged = was_hidden or words == WordAction.FLAG
    image = GeneratedImage(
        task_id=task_id,
        index=index,
        file=name,
        width=picture.width,
        height=picture.height,
        seed=seed,
        bytes=len(picture.data),
        sha256=picture.sha256,
        demo=demo,
        withheld=was_hidden or settings.REVIEW == "before" or words == WordAction.HOLD,
        review_state=ReviewState.FLAGGED if flagged else ReviewState.UNREVIEWED,
        review_version=int(flagged),
    )
    event = NewEvent(
        kind=EventKind.IMAGE_STORED,
        details={"image": image.data, "bytes": image.bytes},
        changes={"progress": progress, "basis": Basis.MEASURED, "eta_seconds": eta_seconds},
    )
    try:
        with transaction.atomic():
            events = [event] if last is None else [*ending_events(event, image, last, now)]
            row = transition(
                task_id=task_id, events=events, sources=RUNNING, fence=attempt, wanted=True, now=now
            )
            image.save(force_insert=True)
            if flagged:
                record_flag(image, row.owner_id, now, was_hidden=was_hidden)
            add_storage(row.owner_id, image.bytes)
            if last is not None:
                free_slot(slot_id=last.slot_id, task_id=task_id, attempt=attempt)
    except (TransitionRefused, IntegrityError):
        stored = GeneratedImage.objects.filter(task=task_id, index=index, file=name).first()
        if stored is None:
            raise
        return stored
    return image


def record_flag(image: GeneratedImage, owner_id: int, now: datetime, *, was_hidden: bool) -> None:
    """Record the decision of a rule, which has no reviewer."""
    english, chinese = (in_language(code) if was_hidden else "" for code in ("en", "zh-hans"))
    Review.objects.create(
        image=image,
        owner_id=owner_id,
        task=image.task_id,
        image_index=image.index,
        sha256=image.sha256,
        reason_english=english,
        reason_chinese=chinese,
        version=image.review_version,
        state=image.review_state,
        reviewer=None,
        created=now,
    )


def in_language(code: str) -> str:
    with override(code):
        return _("The same picture was hidden before.")


def ending_events(
    event: NewEvent, image: GeneratedImage, last: LastImage, now: datetime
) -> tuple[NewEvent, NewEvent]:
    """The entries of the last image and of the end; raises TransitionRefused if one is missing."""
    task = lock_task(image.task_id)
    others = images_of(task) if task.image_count > 1 else []
    if len(others) + 1 != task.image_count:
        raise TransitionRefused
    pictures = sorted([*others, image.data], key=lambda each: each["index"])
    # the end changes status and step too, so the first event states both
    stored = event.with_changes(status=task.status, step=task.step)
    return stored, completed(task, pictures, last.measured, now)


def record_thumbnail(*, image_id: int, name: str, similarity: int | None = None) -> bool:
    """Store the name of a thumbnail and its hash; returns whether the image still exists."""
    rows = GeneratedImage.objects.filter(pk=image_id)
    return bool(rows.update(thumbnail=name, similarity=similarity))
