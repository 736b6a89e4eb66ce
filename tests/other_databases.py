"""Another database for the connection of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

AWAY: dict[str, dict[str, Any]] = {
    "sqlite": {"NAME": "/nowhere/db.sqlite3"},
    "postgresql": {"PORT": "1"},
}
"""By vendor: settings of a database that does not answer."""


@contextmanager
def database_at(**settings: Any) -> Iterator[None]:
    """This thread's connection opens another database from now on."""
    before = dict(connection.settings_dict)
    let_go()
    connection.settings_dict.update(settings)
    try:
        yield
    finally:
        let_go()
        connection.settings_dict.update(before)


def let_go() -> None:
    connection.close()
    if connection.vendor == "postgresql":
        pool: Any = connection
        pool.close_pool()
