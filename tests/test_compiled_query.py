"""Compiled queries find what the ORM finds, whatever the values of a run."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import DateTimeField, QuerySet, TextField, UUIDField
from django.utils import timezone

from generation.compiled_query import CompiledQuery, Parameter
from generation.models import GenerationTask

pytestmark = pytest.mark.django_db

COLUMNS = ("id", "created", "expected_durations", "owner__username", "progress")


def new_task(prompt: str) -> GenerationTask:
    owner = User.objects.create_user(prompt)
    return GenerationTask.objects.create(
        owner=owner,
        prompt=prompt,
        model="model",
        width=512,
        height=512,
        image_count=1,
        steps=9,
        guidance=1.5,
        expected_durations={"loading": 0.5},
        created=timezone.now(),
    )


def of_prompt(prompt: Any) -> QuerySet[GenerationTask, Any]:
    return GenerationTask.objects.filter(prompt=prompt).order_by("pk")


def test_rows_are_those_of_the_orm() -> None:
    new_task("plum")
    new_task("pine")
    query = CompiledQuery(of_prompt(Parameter("prompt", TextField())).values_list(*COLUMNS))

    for prompt in ("plum", "pine", "100 % 'bamboo'"):
        assert query.rows(prompt=prompt) == list(of_prompt(prompt).values_list(*COLUMNS))


def test_rows_by_key_and_time() -> None:
    first, second = new_task("plum"), new_task("pine")
    until = Parameter("until", DateTimeField())
    key = Parameter("key", UUIDField())
    query = CompiledQuery(
        GenerationTask.objects.filter(pk=key, created__lte=until).values_list("prompt")
    )

    assert query.rows(key=first.pk, until=first.created) == [("plum",)]
    assert query.rows(key=second.pk, until=second.created) == [("pine",)]
    assert query.rows(key=second.pk, until=first.created) == []


def test_instances_have_every_value() -> None:
    task = new_task("plum")
    query = CompiledQuery(of_prompt(Parameter("prompt", TextField())))

    (found,) = query.objects(prompt="plum")

    (expected,) = of_prompt("plum")
    assert found == task
    assert not found.get_deferred_fields()
    names = [column.attname for column in GenerationTask._meta.concrete_fields]
    assert [getattr(found, name) for name in names] == [getattr(expected, name) for name in names]
