"""How requests use the database: a connection of their own, and little patience.

A request's connection ends with it. Under ASGI every HTTP request has a thread of its own, and a
connection that outlives it is not found again but only waits for the garbage collector. The one
thread of sockets and worker keeps its connection: opening one for each event would cost more than
the event.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.signals import request_finished
from django.db import connections

REQUEST_PATIENCE = 5
"""Seconds that a process with visitors waits for another writer of its SQLite file.

They can send again what was refused. Workers elsewhere wait longer; the embedded one tries again.
"""


def close_connections(**kwargs: Any) -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


def close_connections_with_requests() -> None:
    request_finished.connect(close_connections)


def wait_briefly_for_writers() -> None:
    """Before the first connection: each takes its patience from the settings."""
    if settings.IS_SQLITE:
        connections.settings["default"]["OPTIONS"]["timeout"] = REQUEST_PATIENCE
