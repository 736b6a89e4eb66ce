"""Django's PostgreSQL backend; idle transactions end, pooled connections are checked locally.

With CONN_HEALTH_CHECKS the pool sends an empty query each time it hands out a connection, that is
for every database call from the event loop: a third of the cost of such a call. A connection that
the server or the kernel has closed is readable; a healthy idle one is not. So only a readable
connection gets the query.
"""

from __future__ import annotations

import select
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool

SET_IDLE_TIMEOUT = "SELECT set_config('idle_in_transaction_session_timeout', %s, false)"
IDLE_FRACTION = 1 / 3
"""Share of the lease for which a transaction may wait for its next statement."""


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        """A connection that is alive as far as this host knows; raises PoolTimeout."""
        while True:
            connection: Connection[Any] = super().get_new_connection(conn_params)
            if self.pool is None or is_quiet(connection) or answers(connection):
                return connection
            # the pool replaces it by a new one
            self.pool.putconn(connection)

    def _configure_connection(self, connection: Connection[Any]) -> bool:
        """Set up a new connection; returns whether there is something to commit.

        A process that is frozen between two statements would keep its locks until it continues.
        The server ends its transaction before another worker that waits for them is late with its
        heartbeat, and before it may take over the slots.
        """
        super()._configure_connection(connection)  # type: ignore[misc]  # lacks in the stubs
        milliseconds = settings.GENERATION_LEASE.total_seconds() * 1_000 * IDLE_FRACTION
        # not in the options of libpq, which PgBouncer refuses
        connection.execute(SET_IDLE_TIMEOUT, [f"{milliseconds:.0f}"])
        return True


def is_quiet(connection: Connection[Any]) -> bool:
    """Whether the socket is open and not readable: no end, no error, no message."""
    if connection.closed:
        return False
    # not select(), which fails for file descriptors above 1023
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def answers(connection: Connection[Any]) -> bool:
    try:
        ConnectionPool.check_connection(connection)
    except OperationalError:
        return False
    return True
