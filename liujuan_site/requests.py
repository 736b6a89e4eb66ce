"""A request's database connection ends with the request.

Under ASGI every HTTP request has a thread of its own, and a connection that outlives it is not
found again but only waits for the garbage collector. The one thread of sockets and worker keeps
its connection: opening one for each event would cost more than the event.
"""

from __future__ import annotations

from typing import Any

from django.core.signals import request_finished
from django.db import connections


def close_connections(**kwargs: Any) -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


def close_connections_with_requests() -> None:
    request_finished.connect(close_connections)
