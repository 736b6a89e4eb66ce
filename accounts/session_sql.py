"""Statements that are written by hand, because every page and connection begins with them.

The ORM takes ten times as long to name the columns as the database to read the row. Names of
tables and columns come from the models. Values are parameters, never part of a text.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from accounts.models import AccountDeletion, Profile


def columns_of(model: type[Model]) -> str:
    table = model._meta.db_table
    return ", ".join(f'"{table}"."{field.column}"' for field in model._meta.concrete_fields)


USERS, PROFILES, DELETIONS, SESSIONS = (
    f'"{model._meta.db_table}"' for model in (User, Profile, AccountDeletion, Session)
)

DATA_OF_SESSION = f"SELECT session_data FROM {SESSIONS} WHERE session_key = %s AND expire_date > %s"  # noqa: S608

ACCOUNT_BY_ID = (
    f"SELECT {', '.join(map(columns_of, (User, Profile, AccountDeletion)))} FROM {USERS} "  # noqa: S608
    f"LEFT JOIN {PROFILES} ON {PROFILES}.user_id = {USERS}.id "
    f"LEFT JOIN {DELETIONS} ON {DELETIONS}.user_id = {USERS}.id WHERE {USERS}.id = %s"
)


def session_data(session_key: str | None) -> str | None:
    """What Django encoded into the session; None if there is none, or it expired."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    row = first_row(DATA_OF_SESSION, [session_key, now])
    return None if row is None else row[0]


def account_by_id(user_id: int) -> User | None:
    """The account with its profile and requested deletion, as `select_related` reads them."""
    row = first_row(ACCOUNT_BY_ID, [user_id])
    if row is None:
        return None
    values = iter(row)
    user: User = read(User, values)
    for model, name in ((Profile, "profile"), (AccountDeletion, "deletion")):
        related = read(model, values)
        relation: Any = User._meta.get_field(name)
        relation.set_cached_value(user, related)
        if related is not None:
            relation.remote_field.set_cached_value(related, user)
    return user


def first_row(statement: str, values: list[Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def read(model: type[Model], values: Any) -> Any:
    """An object of the next values, as many as the model has columns; None if it has no row."""
    fields = model._meta.concrete_fields
    found = [converted(field, next(values)) for field in fields]
    if found[fields.index(model._meta.pk)] is None:
        return None
    return model.from_db(connection.alias, [field.attname for field in fields], found)


def converted(field: Any, value: Any) -> Any:
    """The value as the ORM reads it: SQLite has no times with a zone."""
    column = field.cached_col
    for convert in connection.ops.get_db_converters(column):
        value = convert(value, column, connection)
    return value
