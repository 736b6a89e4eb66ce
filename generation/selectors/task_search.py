"""Tasks that contain rare words, found among all tasks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from generation import search_index
from generation.models import GenerationTask

MAX_FOUND = 1_000
"""Tasks that a search by the index returns; a word with more is frequent."""

SAMPLE = 1_000
"""Newest tasks in which a word is looked for first."""

FREQUENT = 20
"""In the sample: an index has to read all entries of a frequent word, however few are wanted."""

MAX_WORDS = 8
"""Words that the index narrows by; more would not narrow further."""


def rare_tasks(words: Sequence[str]) -> list[uuid.UUID] | None:
    """Ids of all tasks that contain the words, in no order; None if they are frequent, or none."""
    wanted = sorted(words, key=len, reverse=True)[:MAX_WORDS]
    if not wanted or is_frequent(wanted):
        return None
    return search_index.find(wanted, MAX_FOUND)


def is_frequent(words: Sequence[str]) -> bool:
    newest = GenerationTask.objects.newest_first().values_list("created", flat=True)
    edge = list(newest[SAMPLE - 1 : SAMPLE])
    tasks = GenerationTask.objects.filter(created__gte=edge[0]) if edge else newest
    for word in words:
        tasks = tasks.filter(search_text__contains=word)
    return len(tasks.order_by().values_list("pk")[:FREQUENT]) == FREQUENT
