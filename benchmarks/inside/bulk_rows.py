"""A million rows within seconds: one INSERT … SELECT, made from one row as the product wrote it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import md5

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Model
from django.utils import timezone

from generation import services
from generation.choices import Route
from generation.models import GenerationTask
from generation.protocol import Generate


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def fill(row: Model, count: int, **varying: str) -> None:
    """`count` copies of `row`; `varying`: column → SQL over `number`, which runs from 0."""
    quote = connection.ops.quote_name
    constant = {
        str(field.column): field.get_db_prep_save(getattr(row, field.attname), connection)
        for field in row._meta.concrete_fields
        if field.column not in varying and not field.primary_key
    }
    columns = ", ".join(quote(column) for column in [*constant, *varying])
    values = ", ".join(["%s"] * len(constant) + list(varying.values()))
    table = row._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor, without_indexes(table, cursor):
        if is_postgresql():
            # rows are whole by construction: nobody has to look up a million foreign keys
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            f"INSERT INTO {quote(table)} ({columns}) "
            "WITH RECURSIVE numbers(number) AS "
            "(SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < %s) "
            f"SELECT {values} FROM numbers",
            [count, *constant.values()],
        )


@contextmanager
def without_indexes(table: str, cursor: CursorWrapper) -> Iterator[None]:
    """They are made again at once afterwards, which is several times as fast."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT IN "
        "(SELECT conname FROM pg_constraint)"
        if is_postgresql()
        else "SELECT name, sql FROM sqlite_master WHERE tbl_name = %s AND type = 'index' "
        "AND sql NOT LIKE 'CREATE UNIQUE%%'",
        [table],
    )
    indexes = cursor.fetchall()
    for name, _sql in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _name, sql in indexes:
        cursor.execute(sql)


def key(kind: str, number: str = "number") -> str:
    """SQL: the primary key of a row; keys of neighbours lie far apart, as random ones do."""
    digest = f"md5('{kind}' || ({number}))"
    return f"{digest}::uuid" if is_postgresql() else digest


def key_of(kind: str, number: int) -> uuid.UUID:
    """What `key` gives."""
    return uuid.UUID(md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest())


def moment(first: datetime, seconds: str = "number") -> str:
    """SQL: so many seconds after `first`."""
    if is_postgresql():
        return f"timestamptz '{first.isoformat()}' + ({seconds}) * interval '1 second'"
    text = first.strftime("%Y-%m-%d %H:%M:%S")
    # SQLite compares moments as texts; Django writes six digits, and none for a whole second
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f001', '{text}', ({seconds}) || ' seconds')"


def settle() -> None:
    """As it is after an hour of peace; SQLite gathers statistics only when it is told to."""
    with connection.cursor() as cursor:
        if is_postgresql():
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def people(count: int, name: str) -> int:
    """The key of the first of them; the others' follow."""
    first = User.objects.create_user(name)
    fill(first, count - 1, username=f"'{name}-' || number")
    return first.pk


def serve(*names: str, slots: int) -> None:
    """These models are ready; no other one is."""
    seen = [
        services.SeenModel(
            name=name,
            route=Route.TXT2IMG,
            ready=True,
            loading=False,
            replicas=slots,
            identity=name,
            slots=slots,
        )
        for name in names
    ]
    services.record_models(seen=seen, demo=False, now=timezone.now())


def register() -> uuid.UUID:
    """The key of a new worker."""
    return services.register_worker(host="benchmark", pid=1, version="", now=timezone.now()).pk


def running_task(model: str = "benchmark") -> services.Claim:
    """A task that was submitted and claimed; nobody but us works on it."""
    now = timezone.now()
    serve(model, slots=100)
    owner = User.objects.create_user(uuid.uuid4().hex)
    services.submit(owner=owner, request=Generate(prompt="LiuJuan", model=model), now=now)
    (claimed,) = services.claim(worker_id=register(), now=now)
    return claimed


def waiting_task(model: str) -> GenerationTask:
    """One waiting task, as it is submitted a minute from now."""
    owner = User.objects.create_user(uuid.uuid4().hex)
    request = Generate(prompt="LiuJuan under the plum tree, ink on paper", model=model)
    later = timezone.now() + timedelta(minutes=1)
    return services.submit(owner=owner, request=request, now=later).task
