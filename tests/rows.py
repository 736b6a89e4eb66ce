"""Many rows at once, to measure lists and query plans."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import connection

from generation.models import GenerationTask

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
    """`count` copies of a row, each submitted a second before the previous one, newest first.

    One statement, because saving thousands of objects takes seconds.
    """
    columns = [str(field.column) for field in task._meta.concrete_fields]
    made = {"id": NEW_ID[connection.vendor], "created": EARLIER[connection.vendor]}
    values = [made.get(column, column) for column in columns]
    table = task._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE numbers(number) AS "
            f"(SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < %s) "
            f"INSERT INTO {table} ({', '.join(columns)}) "
            f"SELECT {', '.join(values)} FROM {table}, numbers WHERE id = %s",
            [count, task._meta.pk.get_db_prep_value(task.pk, connection)],
        )
    copies = GenerationTask.objects.filter(owner=task.owner_id, created__lt=task.created)
    return list(copies.order_by("-created").only("id", "created"))
