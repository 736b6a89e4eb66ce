"""Fill the tables with tasks: a tenth belongs to one person; a staff member sees all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from benchmarks.inside.bulk_rows import (
    create_users,
    fill,
    key,
    key_of,
    make_ready,
    moment,
    new_worker,
    vacuum,
)
from generation import images, services
from generation.admin.period_filter import MAX_SCANNED_TASKS
from generation.choices import Basis, Step
from generation.error_codes import ErrorCode
from generation.models import GenerationTask
from generation.protocol import Generate
from generation.selectors.gallery import MAX_SCANNED, write_cursor

MODEL = "LiuJuan20260223Zimage"
OTHERS = 100
SHARE = 10
"""One task in ten is the person's, and has a picture."""

FOUND = 20
"""Newest tasks of the person with the rare word; also the number of favourites, of any age."""

NEWEST = 1_000
"""Newest tasks; those with the rare word are among them."""

FAILED = 8
"""One task in eight; none of the person's."""

CARDS = 30
"""As many as the studio shows: created by the services, with their logs."""

APART = 17
"""Seconds between tasks, so that a page of the gallery covers one day."""


def run(*, tasks: int) -> dict[str, str]:
    """Session cookies of `person` and `staff`; the newest `task`; the cursor of `older` tasks and
    the `moment` of their submission; how many tasks one request searches."""
    staff = User.objects.create_superuser("staff")
    person = User.objects.create_user("person")
    make_ready(MODEL, slots=1)
    write(draw(person), tasks)
    for _card in range(CARDS - 1):
        draw(person)
    vacuum()
    newest = GenerationTask.objects.filter(owner=person).newest_first()[0]
    older = GenerationTask.objects.get(pk=key_of("task", tasks * 3 // 4))
    return {
        "person": session_of(person),
        "staff": session_of(staff),
        "task": str(newest.pk),
        "older": write_cursor((older.created, older.pk)),
        "moment": quote(older.created.isoformat()),
        "in_list": f"{MAX_SCANNED_TASKS:,}",
        "in_gallery": f"{MAX_SCANNED:,}",
    }


def draw(person: User) -> GenerationTask:
    """A task from submission to completion, without the file."""
    request = Generate(prompt="LiuJuan under the plum tree", model=MODEL)
    services.submit(owner=person, request=request, now=timezone.now())
    (claim,) = services.claim(worker_id=new_worker(), now=timezone.now())
    attempt: dict[str, Any] = {"task_id": claim.task.pk, "attempt": claim.task.attempt}
    for step in (Step.PREPARING, Step.GENERATING, Step.DECODING, Step.FINISHING):
        services.record_progress(seen=[boundary(step)], now=timezone.now(), **attempt)
    picture = images.Picture(data=b"", format="PNG", width=512, height=512)
    services.store_image(
        index=1,
        name=f"{claim.task.pk}/1.png",
        picture=picture,
        seed=7,
        demo=False,
        progress=99.0,
        eta_seconds=0.0,
        now=timezone.now(),
        **attempt,
    )
    services.complete(measured={}, now=timezone.now(), **attempt)
    services.settle_slot(slot_id=claim.slot_id, now=timezone.now(), **attempt)
    return GenerationTask.objects.get(pk=claim.task.pk)


def boundary(step: Step) -> services.Boundary:
    return services.Boundary(
        step=step, progress=50.0, basis=Basis.MEASURED, eta_seconds=1.0, image=1, details={}
    )


def write(drawn: GenerationTask, tasks: int) -> None:
    """The others' tasks and the person's; the newest is a day old."""
    begun = timezone.now() - timedelta(days=1, seconds=APART * tasks)
    seconds = f"number * {APART}"
    own = f"number %% {SHARE} = 0"
    failed = f"number %% {FAILED} = {FAILED - 1}"
    rare = f"number >= {tasks - NEWEST} AND number %% {NEWEST // FOUND} = {SHARE}"
    prompt = (
        "'LiuJuan under the ' || CASE number %% 2 WHEN 0 THEN 'plum' ELSE 'pine' END "
        f"|| CASE WHEN {rare} THEN ' and a heron' ELSE '' END || ', variation ' || number"
    )
    other = create_users(OTHERS, "other")
    fill(
        drawn,
        tasks,
        id=key("task"),
        owner_id=f"CASE WHEN {own} THEN {drawn.owner_id} ELSE {other} + number %% {OTHERS} END",
        prompt=prompt,
        search_text=f"lower({prompt} || ' {MODEL}')",
        status=f"CASE WHEN {failed} THEN 'failed' ELSE 'completed' END",
        error_code=f"CASE WHEN {failed} THEN '{ErrorCode.MODEL_ERROR.value}' ELSE '' END",
        created=moment(begun, seconds),
        claimed_at=moment(begun, f"{seconds} + 5"),
        finished_at=moment(begun, f"{seconds} + 15"),
    )
    number = f"(number * {SHARE})"
    quiet, loud = ("false", "true") if connection.vendor == "postgresql" else ("0", "1")
    fill(
        drawn.images.get(),
        tasks // SHARE,
        task_id=key("task", number),
        file=f"'picture-' || {number}",
        favourite=f"CASE WHEN {number} %% {tasks // FOUND} = {SHARE} THEN {loud} ELSE {quiet} END",
    )


def session_of(user: User) -> str:
    """The session's cookie as a header."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"
