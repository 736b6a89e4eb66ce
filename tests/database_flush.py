"""Empties the database after a test that committed, without what Django does again each time.

`flush` also empties the tables of content types and permissions and sends `post_migrate`, which
fills them again: 60 ms of processor time for each of a thousand tests. Here these stay.
"""

from __future__ import annotations

from typing import Any

from django.core.management.commands import flush
from django.db.backends.base.base import BaseDatabaseWrapper

KEPT = {"django_content_type", "auth_permission", "generation_reviewreason"}
"""The last are rows of a migration, which no test changes without undoing it."""


DELETE = "SET LOCAL session_replication_role = replica; {deletions}"
"""In any order, because foreign keys are not checked. TRUNCATE makes new files for every table,
which takes several times as long as deleting the few rows of a test."""


def sql_flush(style: Any, connection: BaseDatabaseWrapper, **options: bool) -> list[str]:
    """The statements that empty every table but those in KEPT."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = [name for name in names if name not in KEPT]
    if connection.vendor == "postgresql":
        return [DELETE.format(deletions="".join(f'DELETE FROM "{name}";' for name in tables))]
    statements: list[str] = connection.ops.sql_flush(style, tables, **options)
    return statements


def keep_what_migrations_made() -> None:
    """For this process."""
    replaced: Any = flush
    replaced.sql_flush = sql_flush
    replaced.emit_post_migrate_signal = lambda *_arguments, **_options: None
