"""Everything that a user owns, in pages: whole histories do not fit into memory."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q

from generation.models import GeneratedImage, GenerationTask, ShareLink, WebhookEndpoint
from generation.selectors.events import PAGE_EVENTS, TASKS_AT_ONCE, logs_between

PAGE_TASKS = 100


def owned_tasks(owner: User) -> Iterator[list[GenerationTask]]:
    """Pages of all tasks, those in the trash too, oldest first."""
    tasks = GenerationTask.objects.filter(owner=owner).order_by("created", "pk")
    page = list(tasks[:PAGE_TASKS])
    while page:
        yield page
        created, last = page[-1].created, page[-1].pk
        # the second condition is redundant, but it is the one that can use the index
        later = Q(Q(created__gt=created) | Q(created=created, pk__gt=last), created__gte=created)
        page = list(tasks.filter(later)[:PAGE_TASKS])


def images_of(tasks: list[GenerationTask]) -> dict[uuid.UUID, list[GeneratedImage]]:
    """Task → pictures, each with its task.

    Not prefetched: tasks and prefetched rows refer to each other, and our processes collect such
    cycles rarely.
    """
    found: dict[uuid.UUID, list[GeneratedImage]] = {task.pk: [] for task in tasks}
    known = {task.pk: task for task in tasks}
    for image in GeneratedImage.objects.filter(task__in=list(known)).order_by("task", "index"):
        image.task = known[image.task_id]
        found[image.task_id].append(image)
    return found


def owned_logs(owner: User) -> Iterator[list[str]]:
    """The frames of all events in pages: by task, and in the order of seq."""
    for page in owned_tasks(owner):
        for spans in log_spans(page):
            logs = logs_between(spans)
            yield [frame for task_id in spans for _seq, frame in logs[task_id].frames]


def log_spans(tasks: list[GenerationTask]) -> Iterator[dict[str, tuple[int, int]]]:
    """Spans for `logs_between`, at most PAGE_EVENTS events at once."""
    spans: dict[str, tuple[int, int]] = {}
    room = PAGE_EVENTS
    for task in tasks:
        for after in range(0, task.newest_seq, PAGE_EVENTS):
            upto = min(after + PAGE_EVENTS, task.newest_seq)
            if spans and (upto - after > room or len(spans) == TASKS_AT_ONCE):
                yield spans
                spans, room = {}, PAGE_EVENTS
            spans[str(task.pk)] = (after, upto)
            room -= upto - after
    if spans:
        yield spans


def owned_links(owner: User) -> list[dict[str, Any]]:
    links = ShareLink.objects.filter(task__owner=owner).order_by("created", "pk")
    return [dict(link) for link in links.values("task", "created", "expires_at")]


def owned_webhooks(owner: User) -> list[dict[str, Any]]:
    """Without their secrets."""
    webhooks = WebhookEndpoint.objects.filter(owner=owner).order_by("created", "pk")
    return [dict(each) for each in webhooks.values("url", "task", "events", "enabled", "created")]
