"""Many rows at once, to measure lists and query plans."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Model

from generation.models import GeneratedImage, GenerationTask

NEW_ID = {"postgresql": "gen_random_uuid()", "sqlite": "lower(hex(randomblob(16)))"}
EARLIER = {
    "postgresql": "created - number * interval '1 second'",
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f000', created, '-' || number || ' seconds')",
}


def copies(task: GenerationTask, changes: Iterable[dict[str, Any]]) -> list[GenerationTask]:
    """Rows like that of `task`, each with some columns changed."""
    values = {field.attname: getattr(task, field.attname) for field in task._meta.fields}
    return GenerationTask.objects.bulk_create(
        GenerationTask(**{**values, "id": uuid.uuid4(), "request_key": None, **change})
        for change in changes
    )


def copy_task(task: GenerationTask, count: int) -> list[GenerationTask]:
    """`count` copies of a row, each submitted a second before the previous one, newest first."""
    made = {"id": NEW_ID[connection.vendor], "created": EARLIER[connection.vendor]}
    numbers = "(SELECT 1 AS number UNION ALL SELECT number + 1 FROM numbers WHERE number < %s)"
    insert_copies(task, made, "numbers ON true", f"WITH RECURSIVE numbers AS {numbers}", count)
    copies = GenerationTask.objects.filter(owner=task.owner_id, created__lt=task.created)
    return list(copies.order_by("-created").only("id", "created"))


def copy_picture(picture: GeneratedImage) -> None:
    """Give each other completed task the same picture; seeds count up from the newest task on."""
    tasks = (
        "(SELECT id, row_number() OVER (ORDER BY created DESC, owner_id) - 1 AS number"
        " FROM generation_generationtask WHERE status = 'completed') AS other"
    )
    made = {
        "task_id": "other.id",
        "file": "CAST(other.id AS varchar(36)) || '/1.jpg'",
        "seed": "seed + other.number",
    }
    insert_copies(picture, made, f"{tasks} ON other.id <> task_id")


def insert_copies(
    row: Model, made: dict[str, str], joined: str, before: str = "", *values: int
) -> None:
    """Insert a copy of `row` for each row that is `joined`, with the columns `made` from it.

    One statement, because saving thousands of objects takes seconds.
    """
    key = row._meta.pk
    assert key is not None
    columns = [field.column for field in row._meta.concrete_fields if field.column]
    if key.column not in made:
        columns.remove(str(key.column))
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"{before} INSERT INTO {table} ({', '.join(map(quoted, columns))})"
            f" SELECT {', '.join(made.get(name, 'origin.' + quoted(name)) for name in columns)}"
            f" FROM {table} AS origin JOIN {joined} WHERE origin.{key.column} = %s",
            [*values, key.get_db_prep_value(row.pk, connection)],
        )


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)
