"""Tasks that may explain another one, for staff."""

from __future__ import annotations

from dataclasses import dataclass

from generation.models import GenerationTask
from generation.selectors.task_search import rare_tasks
from generation.unicode_text import casefolded

AROUND = 3
"""Tasks of the owner before and after it."""

SAME_PROMPT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class NearbyTasks:
    """Newest first. `same_prompt`: of any owner; None if too many have it to find them."""

    around: list[GenerationTask]
    same_prompt: list[GenerationTask] | None


def related_to(task: GenerationTask) -> NearbyTasks:
    own = GenerationTask.objects.filter(owner=task.owner_id)
    after = own.filter(created__gt=task.created).order_by("created", "id")[:AROUND]
    before = own.filter(created__lt=task.created).newest_first()[:AROUND]
    return NearbyTasks(around=[*reversed(after), *before], same_prompt=with_prompt_of(task))


def with_prompt_of(task: GenerationTask) -> list[GenerationTask] | None:
    text = casefolded(task.prompt)
    found = rare_tasks([text] if text else [])
    if found is None:
        return None
    others = GenerationTask.objects.filter(pk__in=found, prompt=task.prompt).exclude(pk=task.pk)
    return list(others.select_related("owner").newest_first()[:SAME_PROMPT])
