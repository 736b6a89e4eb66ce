"""A table full of tasks: a tenth of them are one person's, and one of the staff sees all."""

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
    fill,
    key,
    key_of,
    moment,
    people,
    register,
    serve,
    settle,
)
from generation import images, services
from generation.admin.changelist import MOST
from generation.choices import Basis, ErrorCode, Step
from generation.models import GenerationTask
from generation.protocol import Generate
from generation.selectors.gallery import MOST_SIFTED, cursor_of

MODEL = "LiuJuan20260223Zimage"
OTHERS = 100
SHARE = 10
"""One task in so many is the person's, and has a picture."""

FOUND = 20
"""So many of his newest tasks have the rare word; as many pictures are favourites, of all times."""

NEWEST = 1_000
"""Tasks among which those with the rare word are: the newest ones."""

FAILED = 8
"""One task in so many; none of his."""

CARDS = 30
"""As many as the studio shows: these were drawn by the services, and have their logs."""

APART = 17
"""Seconds from one task to the next: a page of the gallery is of one day, whatever its length."""


def run(*, tasks: int) -> dict[str, str]:
    """Session keys of `person` and `staff`; his newest `task`; where the gallery's `older` tasks
    begin, and at what `moment` they were sent; how many tasks are looked through."""
    staff = User.objects.create_superuser("staff")
    person = User.objects.create_user("person")
    serve(MODEL, slots=1)
    write(draw(person), tasks)
    for _card in range(CARDS - 1):
        draw(person)
    settle()
    newest = GenerationTask.objects.filter(owner=person).newest_first()[0]
    older = GenerationTask.objects.get(pk=key_of("task", tasks * 3 // 4))
    return {
        "person": session_of(person),
        "staff": session_of(staff),
        "task": str(newest.pk),
        "older": cursor_of(older),
        "moment": quote(older.created.isoformat()),
        "in_list": f"{MOST:,}",
        "in_gallery": f"{MOST_SIFTED:,}",
    }


def draw(person: User) -> GenerationTask:
    """A task from its submission to its picture; only the file is missing."""
    request = Generate(prompt="LiuJuan under the plum tree", model=MODEL)
    services.submit(owner=person, request=request, now=timezone.now())
    (claim,) = services.claim(worker_id=register(), now=timezone.now())
    mine: dict[str, Any] = {"task_id": claim.task.pk, "attempt": claim.task.attempt}
    for step in (Step.PREPARING, Step.GENERATING, Step.DECODING, Step.FINISHING):
        services.record_seen(seen=[boundary(step)], now=timezone.now(), **mine)
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
        **mine,
    )
    services.complete(measured={}, now=timezone.now(), **mine)
    services.settle_slot(slot_id=claim.slot_id, now=timezone.now(), **mine)
    return GenerationTask.objects.get(pk=claim.task.pk)


def boundary(step: Step) -> services.Boundary:
    return services.Boundary(
        step=step, progress=50.0, basis=Basis.MEASURED, eta_seconds=1.0, image=1, details={}
    )


def write(drawn: GenerationTask, tasks: int) -> None:
    """The others' tasks and the person's; the newest is a day old."""
    begun = timezone.now() - timedelta(days=1, seconds=APART * tasks)
    seconds = f"number * {APART}"
    his = f"number %% {SHARE} = 0"
    failed = f"number %% {FAILED} = {FAILED - 1}"
    rare = f"number >= {tasks - NEWEST} AND number %% {NEWEST // FOUND} = {SHARE}"
    other = people(OTHERS, "other")
    fill(
        drawn,
        tasks,
        id=key("task"),
        owner_id=f"CASE WHEN {his} THEN {drawn.owner_id} ELSE {other} + number %% {OTHERS} END",
        prompt="'LiuJuan under the ' || CASE number %% 2 WHEN 0 THEN 'plum' ELSE 'pine' END "
        f"|| CASE WHEN {rare} THEN ' and a heron' ELSE '' END || ', variation ' || number",
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
    client = Client()
    client.force_login(user)
    """The session's cookie as a header."""
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"
