"""A migration behind a long transaction gives up, and nothing waits behind it."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from generation.models import Review

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0035_review_records"
"""The migration after it changes the table of `Review`."""


@pytest.fixture
def reader() -> Iterator[Any]:
    """Another connection to PostgreSQL, outside a transaction."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one lock for all tables")
    import psycopg

    with psycopg.connect(**psycopg_settings(), autocommit=True) as opened:
        try:
            yield opened
        finally:
            # also those between the newest one and BEFORE
            call_command("migrate", verbosity=0)


def psycopg_settings() -> dict[str, Any]:
    settings = connection.get_connection_params()
    return {
        name: settings[name]
        for name in ("host", "port", "user", "password", "dbname")
        if settings.get(name)
    }


def migrate(target: str, **options: Any) -> str:
    output = StringIO()
    call_command("migrate", "generation", target, stdout=output, verbosity=1, **options)
    return output.getvalue()


def lock_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        return str(cursor.fetchone()[0])


def test_it_names_the_transaction_and_changes_nothing(reader: Any) -> None:
    with reader.transaction():
        reader.execute(f'SELECT * FROM "{Review._meta.db_table}"')
        pid = reader.info.backend_pid

        with pytest.raises(CommandError, match=f"process {pid} .* migrate again"):
            migrate(BEFORE, lock_timeout=0.1)

        # the reader neither lost its lock nor waits
        reader.execute(f'SELECT sha256 FROM "{Review._meta.db_table}"')
    assert lock_timeout() == "0"
    assert not Review.objects.filter(sha256="x").exists()


def test_it_goes_on_once_the_transaction_has_ended(reader: Any) -> None:
    undone = migrate(BEFORE)
    done = migrate("0036")
    assert "Unapplying generation.0036_review_contents... OK" in undone
    assert "Applying generation.0036_review_contents... OK" in done
    assert lock_timeout() == "0"
