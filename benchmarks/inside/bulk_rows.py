"""Insert a million rows in seconds: one INSERT … SELECT from a row that the product wrote."""

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
from tests.factories import record_models

HALF_DRAWN = services.Fraction(
    progress=50.0, eta_seconds=1.0, image=1, fraction=0.5, done=4, total=9
)
"""Half of the first picture."""


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
            # no checks of a million foreign keys: rows are valid by construction
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
    """Drop the indexes and create them again afterwards, which is several times as fast."""
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
    """SQL: the primary key of a row; keys of neighbours are far apart, like random ones."""
    digest = f"md5('{kind}' || ({number}))"
    return f"{digest}::uuid" if is_postgresql() else digest


def key_of(kind: str, number: int) -> uuid.UUID:
    """The value of `key` in Python."""
    return uuid.UUID(md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest())


def moment(first: datetime, seconds: str = "number") -> str:
    """SQL: `seconds` after `first`."""
    if is_postgresql():
        return f"timestamptz '{first.isoformat()}' + ({seconds}) * interval '1 second'"
    text = first.strftime("%Y-%m-%d %H:%M:%S")
    # SQLite compares times as text; Django writes six digits, and none for a whole second
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f001', '{text}', ({seconds}) || ' seconds')"


def vacuum() -> None:
    """Vacuum and analyze on PostgreSQL; truncate the write-ahead log on SQLite."""
    with connection.cursor() as cursor:
        if is_postgresql():
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def create_users(count: int, name: str) -> int:
    """Create users with consecutive keys; the first key."""
    first = User.objects.create_user(name)
    fill(first, count - 1, username=f"'{name}-' || number")
    return first.pk


def make_ready(*names: str, slots: int) -> None:
    """Make these models ready, and no other."""
    seen = [
        services.ModelObservation(
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
    record_models(*seen, now=timezone.now())


def new_worker() -> uuid.UUID:
    """Register a worker; its key."""
    return services.register_worker(host="benchmark", pid=1, version="", now=timezone.now()).pk


def running_task(model: str = "benchmark") -> services.Claim:
    """A task that was submitted and claimed here."""
    now = timezone.now()
    make_ready(model, slots=100)
    owner = User.objects.create_user(uuid.uuid4().hex)
    services.submit(owner=owner, request=Generate(prompt="LiuJuan", model=model), now=now)
    (claimed,) = services.claim(worker_id=new_worker(), now=now)
    return claimed


def waiting_task(model: str) -> GenerationTask:
    """A queued task that was submitted a minute from now."""
    owner = User.objects.create_user(uuid.uuid4().hex)
    request = Generate(prompt="LiuJuan under the plum tree, ink on paper", model=model)
    later = timezone.now() + timedelta(minutes=1)
    return services.submit(owner=owner, request=request, now=later).task
