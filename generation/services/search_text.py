"""The text of a task that searches read."""

from __future__ import annotations

from datetime import datetime, timedelta

from generation.models import GenerationTask
from generation.unicode_text import casefolded

OLD_PROCESSES_GONE = timedelta(days=2)
"""Time after an upgrade in which processes of the older version may still run."""

MAX_FILLED = 1_000


def search_text(prompt: str, model: str) -> str:
    """The text that a search reads."""
    return casefolded(f"{prompt}\n{model}")


def fill_search_text(*, now: datetime) -> int:
    """Fill the search text of tasks stored by processes of an older version; returns their number.

    Only recent tasks are read, because the migration filled all earlier ones.
    """
    recent = GenerationTask.objects.filter(created__gte=now - OLD_PROCESSES_GONE, search_text="")
    tasks = list(recent.only("pk", "prompt", "model")[:MAX_FILLED])
    for task in tasks:
        task.search_text = search_text(task.prompt, task.model)
    GenerationTask.objects.bulk_update(tasks, ["search_text"], batch_size=100)
    return len(tasks)
