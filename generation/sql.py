"""Statements that are written by hand, each with the reason why the ORM does not write it.

Names of tables and columns come from the models. Values are parameters, never part of a text.
Statements of the queue are in `generation.selectors.queue`, beside the order they implement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User

from generation.choices import UNFINISHED, LimitKind
from generation.models import GenerationTask, LimitOverride, LimitUsage, TaskEvent

TASKS = f'"{GenerationTask._meta.db_table}"'
EVENTS = f'"{TaskEvent._meta.db_table}"'
OVERRIDES = f'"{LimitOverride._meta.db_table}"'
USAGES = f'"{LimitUsage._meta.db_table}"'
USER_GROUPS = f'"{User.groups.through._meta.db_table}"'


def placeholders(count: int) -> str:
    return ", ".join(["%s"] * count)


TASK_COLUMNS: dict[str, Any] = {
    column.name: column for column in GenerationTask._meta.concrete_fields
}
EVENT_COLUMNS: list[Any] = [
    column for column in TaskEvent._meta.concrete_fields if not column.primary_key
]

TASK_BY_ID = (
    f"SELECT {', '.join(column.column for column in TASK_COLUMNS.values())} "  # noqa: S608
    f"FROM {TASKS} WHERE id = %s"
)
"""The ORM takes longer to name so many columns than the database to read them."""

UNFINISHED_OF_OWNER = (
    f"SELECT created, id, newest_seq FROM {TASKS} "  # noqa: S608
    f"WHERE owner_id = %s AND status IN ({placeholders(len(UNFINISHED))})"
)
"""Runs whenever a socket opens; not ordered, because for an ordered query databases read the whole
history."""

LOG_AFTER = (
    f"SELECT seq, frame FROM {EVENTS} "  # noqa: S608
    "WHERE task_id = %s AND seq > %s ORDER BY seq LIMIT %s"
)
"""The most frequent query; it needs nothing that the ORM adds."""

INSERT_EVENTS = (
    f"INSERT INTO {EVENTS} "  # noqa: S608
    f"({', '.join(column.column for column in EVENT_COLUMNS)}) VALUES "
)
EVENT_VALUES = f"({placeholders(len(EVENT_COLUMNS))})"
"""Once per event, behind INSERT_EVENTS. `bulk_create` also reads the new keys back."""


TAKE = (
    f"INSERT INTO {USAGES} (owner_id, kind, period, used) VALUES (%s, %s, %s, %s) "  # noqa: S608
    f"ON CONFLICT (owner_id, kind, period) DO UPDATE SET used = {USAGES}.used + excluded.used "
    f"WHERE {USAGES}.used + excluded.used <= %s RETURNING used"
)
"""Compare and set of a counter that may not exist yet; without a row nothing was taken. The ORM
cannot put a condition on the update."""


ADD_STORAGE = (
    f"UPDATE {USAGES} SET used = CASE WHEN used + %s > 0 THEN used + %s ELSE 0 END "  # noqa: S608
    f"WHERE owner_id = %s AND kind = '{LimitKind.STORAGE.value}' AND period = ''"
)
"""Runs for every stored picture, and mostly finds no row: the ORM takes longer to write it."""


def limits_of_owners(owners: int) -> str:
    """Rows (owner, source, kind, value), in one statement that runs at every submission.

    Sources: `group` and `user` (what they may use; null: unlimited), `used`. Parameters: the
    owners three times, three periods, the owners, and the statuses of unfinished tasks.
    """
    among = placeholders(owners)
    return (
        "SELECT belongs.user_id, 'group', own.kind, own.value "  # noqa: S608
        f"FROM {USER_GROUPS} belongs JOIN {OVERRIDES} own ON own.group_id = belongs.group_id "
        f"WHERE belongs.user_id IN ({among}) "
        f"UNION ALL SELECT user_id, 'user', kind, value FROM {OVERRIDES} "
        f"WHERE user_id IN ({among}) "
        f"UNION ALL SELECT owner_id, 'used', kind, used FROM {USAGES} "
        f"WHERE owner_id IN ({among}) AND period IN (%s, %s, %s) "
        f"UNION ALL SELECT owner_id, 'used', '{LimitKind.UNFINISHED.value}', COUNT(created) "
        f"FROM {TASKS} WHERE owner_id IN ({among}) "
        f"AND status IN ({placeholders(len(UNFINISHED))}) GROUP BY owner_id"
    )


def update_task(
    columns: Sequence[str], *, statuses: int, fenced: bool, wanted: bool, returning: Sequence[str]
) -> str:
    """Compare and set in one statement (`UPDATE … RETURNING`); the ORM needs two.

    Parameters: how many events, the values of `columns`, the id, that many statuses and, if
    `fenced`, the attempt. `wanted`: only while no cancel was requested.
    """
    assignments = ["newest_seq = newest_seq + %s", *(f"{column} = %s" for column in columns)]
    conditions = ["id = %s", f"status IN ({placeholders(statuses)})"]
    if fenced:
        conditions.append("attempt = %s")
    if wanted:
        conditions.append("cancel_requested_at IS NULL")
    return (
        f"UPDATE {TASKS} SET {', '.join(assignments)} "  # noqa: S608
        f"WHERE {' AND '.join(conditions)} RETURNING {', '.join(returning)}"
    )


# the ORM has none of these
LOCK = "SELECT pg_advisory_xact_lock(%s)"
TIME_OF_POSTGRESQL = "SELECT clock_timestamp()"
DEAD_ROWS_OF_POSTGRESQL = (
    "SELECT n_dead_tup, n_live_tup FROM pg_stat_user_tables WHERE relid = %s::regclass"
)
OLDEST_TRANSACTION_OF_POSTGRESQL = (
    "SELECT pid, xact_start FROM pg_stat_activity WHERE xact_start IS NOT NULL "
    "AND datname = current_database() AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 1"
)
SET_LOCK_TIMEOUT_OF_POSTGRESQL = "SELECT set_config('lock_timeout', %s, false)"
READ_ONLY_OF_POSTGRESQL = "SHOW transaction_read_only"
FREE_PAGES_OF_SQLITE = "PRAGMA freelist_count"
PAGES_OF_SQLITE = "PRAGMA page_count"
JOURNAL_OF_SQLITE = "PRAGMA journal_mode"
LOCK_TIMEOUT_OF_SQLITE = "PRAGMA busy_timeout"
SET_LOCK_TIMEOUT_OF_SQLITE = "PRAGMA busy_timeout = {milliseconds:d}"
"""A PRAGMA takes no parameters."""
BEGIN_WRITING_TO_SQLITE = "BEGIN IMMEDIATE"
WRITE_TO_SQLITE = "CREATE TABLE writable (id integer)"
UNDO_IN_SQLITE = "ROLLBACK"
