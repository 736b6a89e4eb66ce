"""Tasks and pictures in the states that tests need, made through the services."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Permission, User

from generation import images, services
from generation.choices import Basis, InterruptReason, ReviewState, Route, Step, TaskStatus
from generation.error_codes import ErrorCode
from generation.models import (
    GeneratedImage,
    GenerationTask,
    ModelServer,
    Review,
    ReviewReason,
    TaskEvent,
    Worker,
)
from generation.protocol import Generate, TaskState, empty_state, fold
from generation.services import AbandonedCall, Boundary, Claim, ModelObservation
from tests.pictures import picture

TRASH_KEPT = timedelta(days=1)
"""The default of RETENTION_TRASH."""


def submit(
    owner: User, now: datetime, *, cancel_after: datetime | None = None, **fields: Any
) -> GenerationTask:
    request = Generate(**{"prompt": "LiuJuan", **fields})
    return services.submit(owner=owner, request=request, now=now, cancel_after=cancel_after).task


def failed_task(owner: User, worker: Worker, now: datetime) -> GenerationTask:
    submit(owner, now, seed=7)
    claim = claim_one(worker, now)
    fail(claim, now, detail="pid 7 at 10.0.0.1")
    settle(claim, now)
    return GenerationTask.objects.get(pk=claim.task.pk)


def claim_one(worker: Worker, now: datetime) -> Claim:
    (claim,) = services.claim(worker_id=worker.pk, now=now)
    return claim


def store(claim: Claim, now: datetime, index: int = 1, **changes: Any) -> GeneratedImage:
    usual: dict[str, Any] = {
        "name": f"{claim.task.pk}/{index}-{claim.task.attempt}-{uuid.uuid4().hex[:8]}.jpg",
        "picture": picture(),
        "seed": 1,
        "demo": False,
        "progress": 99,
        "eta_seconds": 0,
    }
    return services.store_image(
        task_id=claim.task.pk,
        attempt=claim.task.attempt,
        index=index,
        now=now,
        **{**usual, **changes},
    )


def default_server(now: datetime) -> int:
    """Key of the server that the settings name."""
    services.sync_named_servers(now=now)
    return ModelServer.objects.get(name=services.DEFAULT_SERVER).pk


def record_models(*seen: ModelObservation, now: datetime) -> None:
    """Record what the server of the settings serves, as a worker would."""
    services.record_models(server_id=default_server(now), seen=seen, now=now)


def refuse_key(now: datetime) -> None:
    """Record that the server of the settings refused our key."""
    services.refuse_key(server_id=default_server(now), now=now)


def finish(claim: Claim, now: datetime) -> None:
    services.complete(task_id=claim.task.pk, attempt=claim.task.attempt, measured={}, now=now)


def fail(
    claim: Claim, now: datetime, code: ErrorCode = ErrorCode.REQUEST_REFUSED, detail: str = ""
) -> None:
    task = claim.task
    services.fail(task_id=task.pk, attempt=task.attempt, code=code, detail=detail, now=now)


def settle(held: Claim | AbandonedCall, now: datetime) -> bool:
    """Free the slot of a call that is over."""
    key, attempt = (
        (held.task.pk, held.task.attempt)
        if isinstance(held, Claim)
        else (held.task_id, held.attempt)
    )
    return services.settle_slot(slot_id=held.slot_id, task_id=key, attempt=attempt, now=now)


def boundary(step: Step, image: int = 1, **details: Any) -> Boundary:
    return Boundary(
        step=step, progress=50, basis=Basis.MEASURED, eta_seconds=1, image=image, details=details
    )


def complete(claim: Claim, now: datetime) -> None:
    """Store the only picture, complete the task and free the slot."""
    store(claim, now)
    finish(claim, now)
    settle(claim, now)


def observed(name: str, slots: int, **changes: Any) -> ModelObservation:
    """A ready model with as many replicas as slots."""
    usual: dict[str, Any] = {"route": Route.TXT2IMG, "ready": True, "loading": False}
    usual |= {"replicas": slots, "identity": "here", "slots": slots}
    return ModelObservation(name=name, **{**usual, **changes})


def interrupt(claim: Claim, reason: InterruptReason, now: datetime) -> None:
    services.interrupt(
        task_id=claim.task.pk, attempt=claim.task.attempt, reason=reason, detail="", now=now
    )


def kinds(task_id: uuid.UUID) -> list[str]:
    return list(
        GenerationTask.objects.get(pk=task_id).events.order_by("seq").values_list("kind", flat=True)
    )


def put_in_trash(
    owner: User,
    now: datetime,
    *pictures: tuple[GenerationTask, int],
    tasks: Collection[GenerationTask] = (),
) -> int:
    return services.move_to_trash(
        owner=owner,
        pictures=[(task.pk, index) for task, index in pictures],
        tasks=[task.pk for task in tasks],
        now=now,
    )


def files_in(media: Path) -> set[str]:
    return {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}


def finished_task(
    owner: User, at: datetime, *, pictures: int = 1, status: str = "completed", **asked: Any
) -> GenerationTask:
    """A task that ended at `at`, with `pictures` pictures; seeds start at 100 by default."""
    seed = asked.get("seed") or 100
    task = submit(owner, at, **{"n": max(1, pictures), **asked})
    GenerationTask.objects.filter(pk=task.pk).update(
        status=status,
        progress=100,
        finished_at=at,
        seed=seed,
        error_code="model_error" if status == TaskStatus.FAILED else "",
        cancel_requested_at=at if status == TaskStatus.CANCELLED else None,
    )
    for index in range(1, pictures + 1):
        add_picture(task, index, seed + index - 1)
    task.refresh_from_db()
    return task


def add_picture(task: GenerationTask, index: int, seed: int) -> GeneratedImage:
    name = f"{task.pk}/{index}-1-{uuid.uuid4().hex[:8]}.jpg"
    content = f"picture {task.pk} {index}".encode()
    for each in (name, f"{name}.thumb.webp"):
        images.write(each, content)
    return GeneratedImage.objects.create(
        task=task,
        index=index,
        file=name,
        thumbnail=f"{name}.thumb.webp",
        width=task.width,
        height=task.height,
        seed=seed,
        bytes=len(content),
        sha256="0" * 64,
    )


def hide(image: GeneratedImage, now: datetime, *, note: str = "", **changes: Any) -> Review:
    """Hide a picture as a reviewer does, or decide something else about it.

    Each time another reviewer, as after flags and appeals.
    """
    reviewer = User.objects.create_user(f"rowan{User.objects.count()}")
    reviewer.user_permissions.add(Permission.objects.get(codename="add_review"))
    reason, _new = ReviewReason.objects.get_or_create(english="Violence", chinese="暴力")
    image.refresh_from_db()
    return services.decide(
        reviewer=reviewer,
        image_id=image.pk,
        version=image.review_version,
        now=now,
        reason=reason,
        note=note,
        **{"state": ReviewState.HIDDEN, **changes},
    )


def picture_key(task: GenerationTask, index: int = 1) -> str:
    return f"{task.pk}:{index}"


def state_of(task_id: uuid.UUID) -> TaskState:
    """The fold of the whole log of a task."""
    frames = TaskEvent.objects.filter(task=task_id).order_by("seq").values_list("frame", flat=True)
    return fold(empty_state(str(task_id)), map(json.loads, frames))
