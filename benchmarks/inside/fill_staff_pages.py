"""Fill PostgreSQL with tasks of 100 owners, each with 15 events and a picture."""

from __future__ import annotations

import re
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from benchmarks.inside.bulk_rows import create_users, fill, key, key_of, make_ready, moment, vacuum
from benchmarks.inside.fill_big_pages import MODEL, draw
from generation.choices import ReviewState
from generation.error_codes import ErrorCode
from generation.models import GeneratedImage, GenerationTask, TaskEvent

OWNERS = 100
EVENTS = 15
APART = 17
"""Seconds between tasks."""

RARE = 20
"""Tasks with the rare words, spread over all ages."""

FAILED = 8
"""One task in eight."""

EIGHTH = 8
"""One task in eight belongs to one owner, one has several attempts, one a flagged picture."""

CSRF_TOKEN = "t" * 32
UNIQUE_SEQ = "one_event_per_seq"


def run(*, tasks: int) -> dict[str, str]:
    """`cookies` of a member of staff and the `csrf` token of their forms; a `task` of middle age,
    its picture and `model`, and a `day`."""
    staff = User.objects.create_superuser("staff")
    make_ready(MODEL, slots=1)
    drawn = draw(User.objects.create_user("first"))
    event = drawn.events.get(kind="claimed")
    write_tasks(drawn, tasks)
    write_pictures(drawn, tasks)
    write_events(event, tasks)
    vacuum()
    return {
        "cookies": cookies_of(staff),
        "csrf": CSRF_TOKEN,
        "task": str(key_of("task", tasks // 2)),
        "image": str(GeneratedImage.objects.get(task=key_of("task", tasks // 2)).pk),
        "model": MODEL,
        # a tenth of the tasks are newer
        "day": (timezone.now() - timedelta(days=1, seconds=APART * tasks // 10)).date().isoformat(),
    }


def write_tasks(drawn: GenerationTask, tasks: int) -> None:
    """The newest is a day old."""
    begun = timezone.now() - timedelta(days=1, seconds=APART * tasks)
    seconds = f"number * {APART}"
    failed = f"number %% {FAILED} = {FAILED - 1}"
    rare = f"number %% {tasks // RARE} = 7"
    prompt = (
        "'LiuJuan under the ' || CASE number %% 2 WHEN 0 THEN 'plum, 园林' ELSE 'pine, 山水' END "
        f"|| CASE WHEN {rare} THEN ' and a heron, 芦苇' ELSE '' END || ', variation ' || number"
    )
    first = create_users(OWNERS, "owner")
    fill(
        drawn,
        tasks,
        id=key("task"),
        owner_id=f"{first} + CASE number %% {EIGHTH} WHEN 1 THEN 0 ELSE number %% {OWNERS} END",
        prompt=prompt,
        search_text=f"lower({prompt} || ' {MODEL}')",
        status=f"CASE WHEN {failed} THEN 'failed' ELSE 'completed' END",
        error_code=f"CASE WHEN {failed} THEN '{ErrorCode.MODEL_ERROR.value}' ELSE '' END",
        attempt=f"CASE number %% {EIGHTH} WHEN 2 THEN 2 ELSE 1 END",
        wait_seconds="number %% 90",
        newest_seq=str(EVENTS),
        created=moment(begun, seconds),
        claimed_at=moment(begun, f"{seconds} + 5"),
        finished_at=moment(begun, f"{seconds} + 15"),
    )


def write_pictures(drawn: GenerationTask, tasks: int) -> None:
    review = (
        f"CASE WHEN number %% {EIGHTH} = 3 THEN '{ReviewState.FLAGGED.value}' "
        f"WHEN number %% 2 = 0 THEN '{ReviewState.APPROVED.value}' "
        f"ELSE '{ReviewState.UNREVIEWED.value}' END"
    )
    fill(
        drawn.images.get(),
        tasks,
        task_id=key("task"),
        file="'picture-' || number",
        review_state=review,
    )


def write_events(event: TaskEvent, tasks: int) -> None:
    """Copies of one event, written without a log of changes and before their index."""
    table = f'"{TaskEvent._meta.db_table}"'
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} SET UNLOGGED")
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {UNIQUE_SEQ}")
    seq = f"number %% {EVENTS} + 1"
    before, after = re.split(r'(?<="seq":)\d+', event.frame.replace("'", "''").replace("%", "%%"))
    fill(
        event,
        tasks * EVENTS,
        task_id=key("task", f"number / {EVENTS}"),
        seq=seq,
        frame=f"'{before}' || ({seq}) || '{after}'",
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {UNIQUE_SEQ} UNIQUE (task_id, seq)")


def cookies_of(user: User) -> str:
    """A session, and the cookie of forms, as one header."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    session = client.cookies[name].value
    return f"{name}={session}; {settings.CSRF_COOKIE_NAME}={CSRF_TOKEN}"
