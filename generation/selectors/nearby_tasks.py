"""Tasks that may explain another one, for staff."""

from __future__ import annotations

from dataclasses import dataclass

from generation.models import GenerationTask

AROUND = 3
"""Tasks of the owner before and after it."""

SAME_PROMPT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class NearbyTasks:
    """Newest first; those with the same prompt are of any owner."""

    around: list[GenerationTask]
    same_prompt: list[GenerationTask]


def related_to(task: GenerationTask) -> NearbyTasks:
    own = GenerationTask.objects.filter(owner=task.owner_id)
    after = own.filter(created__gt=task.created).order_by("created", "id")[:AROUND]
    before = own.filter(created__lt=task.created).newest_first()[:AROUND]
    return NearbyTasks(around=[*reversed(after), *before], same_prompt=with_prompt_of(task))


def with_prompt_of(task: GenerationTask) -> list[GenerationTask]:
    """None of a task whose prompt was removed."""
    if not task.prompt:
        return []
    others = GenerationTask.objects.filter(prompt=task.prompt).exclude(pk=task.pk)
    return list(others.select_related("owner").newest_first()[:SAME_PROMPT])
