"""Database connections of requests: one per request, with a short timeout for SQLite.

Under ASGI every HTTP request has a thread of its own. A connection that outlives the request is
never reused and stays open until garbage collection, so it is closed. The one thread of sockets
and worker keeps its connection: opening one costs more than storing an event.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.signals import request_finished
from django.db import connections

REQUEST_TIMEOUT = 5
"""Seconds that a web process waits for another writer of the SQLite file.

Users can repeat a refused request. Separate workers wait longer; the embedded one retries.
"""


def close_connections(**kwargs: Any) -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


def close_connections_with_requests() -> None:
    request_finished.connect(close_connections)


def wait_briefly_for_writers() -> None:
    """Shorten SQLite's timeout; call it before the first connection, which reads the setting."""
    if settings.IS_SQLITE:
        connections.settings["default"]["OPTIONS"]["timeout"] = REQUEST_TIMEOUT
