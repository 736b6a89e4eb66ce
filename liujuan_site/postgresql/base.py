"""PostgreSQL as Django has it; a connection out of the pool is looked at without a round trip.

With CONN_HEALTH_CHECKS the pool sends an empty query each time it gives a connection, which is
with every call out of the event loop: a third of what such a call costs. A server that ended a
connection, and a kernel that gave it up, make its socket readable; on an idle and healthy one
there is nothing to read. Only what says something is asked.
"""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        """A connection that lives, as far as this host knows; raises PoolTimeout without one."""
        while True:
            connection: Connection[Any] = super().get_new_connection(conn_params)
            if self.pool is None or is_quiet(connection) or answers(connection):
                return connection
            # the pool makes a new one in its place
            self.pool.putconn(connection)


def is_quiet(connection: Connection[Any]) -> bool:
    """Whether its socket has nothing to tell: no end, no error, no message."""
    if connection.closed:
        return False
    # not select(): with thousands of sockets the number of a file is too high for it
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def answers(connection: Connection[Any]) -> bool:
    try:
        ConnectionPool.check_connection(connection)
    except OperationalError:
        return False
    return True
