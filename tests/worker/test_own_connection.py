"""Database calls of the worker outside its database thread."""

from __future__ import annotations

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from generation.own_connection import with_own_connection

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_thread_keeps_no_connection() -> None:
    def call(fail: bool) -> None:
        used.append(connections["default"])
        used[-1].ensure_connection()
        if fail:
            raise ValueError

    used: list[BaseDatabaseWrapper] = []
    await with_own_connection(call)(fail=False)
    with pytest.raises(ValueError):
        await with_own_connection(call)(fail=True)

    assert [connection.connection for connection in used] == [None, None]
