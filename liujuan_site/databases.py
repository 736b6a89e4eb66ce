"""Checks DATABASE_URL and makes Django's DATABASES entry of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import environ

from generation.http_addresses import ENCODE, split
from generation.invalid_setting import InvalidSetting
from liujuan_site.environment import shown

POSTGRESQL_SCHEMES = {"postgres", "postgresql", "psql", "pgsql"}
POSTGRESQL_EXAMPLE = "postgres://user:password@localhost/studio"
SQLITE_EXAMPLE = "sqlite:////var/lib/liujuan/db.sqlite3"

NETWORK_TIMEOUTS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""libpq options. A host that disappears never closes the connection, and by default the kernel
waits for hours."""

WHOLE_NUMBERS = {*NETWORK_TIMEOUTS, "keepalives", "sslcompression"}
"""Options that libpq reads only when it connects over a network."""

ADDRESSES = {"host", "hostaddr", "port", "user", "password", "passfile", "dbname"}
"""Options for server, account and database, which are not tested."""

POOL = {
    "min_size": 2,
    "max_size": 8,
    "timeout": 5,
    # seconds; the pool doubles its pause up to this, then gives up until a request needs a
    # connection and it tries at once
    "reconnect_timeout": 2,
}


def database_url(value: str) -> str:
    """The URL of a PostgreSQL or of a SQLite file; raises InvalidSetting."""
    if value.lower().startswith("sqlite:"):
        if not re.match(r"sqlite:///[^?#:]", value) or re.search(r"[?#]|/$", value):
            raise InvalidSetting("names no file: an absolute path has four slashes", SQLITE_EXAMPLE)
        folder = sqlite_path(value).parent
        if not folder.is_dir():
            raise InvalidSetting("names a file in a folder that does not exist", SQLITE_EXAMPLE)
        return value
    parts = split(value, {*POSTGRESQL_SCHEMES, "sqlite"}, POSTGRESQL_EXAMPLE)
    if not parts.path.strip("/"):
        raise InvalidSetting("names no database", POSTGRESQL_EXAMPLE)
    if parts.fragment:
        raise InvalidSetting(f"holds a #{ENCODE}", POSTGRESQL_EXAMPLE)
    refuse_options(dict(environ.Env.db_url_config(value)))
    return value


def refuse_options(config: dict[str, Any]) -> None:
    """Raise InvalidSetting for options after `?` with a name or value unknown to libpq."""
    options = {name: str(value) for name, value in config.get("OPTIONS", {}).items()}
    for name in options.keys() & WHOLE_NUMBERS:
        if not re.fullmatch(r"[0-9]{1,6}", options[name]):
            raise InvalidSetting(f"has an option {name} that is not a whole number")
    if {"CONN_MAX_AGE", "CONN_HEALTH_CHECKS", "ATOMIC_REQUESTS", "AUTOCOMMIT"} & config.keys():
        raise InvalidSetting("has an option of Django behind ?: connections are pooled here")
    refuse_conninfo(options)


def refuse_conninfo(options: dict[str, str]) -> None:
    from psycopg import ProgrammingError, pq
    from psycopg.conninfo import make_conninfo

    port = {"port": options["port"]} if "port" in options else {}
    rest = {name: value for name, value in options.items() if name not in ADDRESSES}
    try:
        # /dev/null is not a folder of sockets: libpq reads all options, then fails at once
        conninfo = make_conninfo(**rest, **port, host="/dev/null", user="user", dbname="name")
    except ProgrammingError:
        raise InvalidSetting(
            "has an option behind ? that PostgreSQL does not know (sslmode=require is one)"
        ) from None
    connection = pq.PGconn.connect_start(conninfo.encode())
    message = connection.error_message.decode(errors="replace").strip()
    connection.finish()
    if message and "/dev/null" not in message:
        raise InvalidSetting(f"has an option that PostgreSQL refuses: {shown(message)}")


def database_of(url: str, data_dir: Path) -> dict[str, Any]:
    """Django's DATABASES entry; SQLite in `data_dir` if `url` is empty."""
    if not url:
        return sqlite(data_dir / "db.sqlite3")
    if url.lower().startswith("sqlite:"):
        return sqlite(sqlite_path(url))
    return postgresql(url)


def sqlite_path(url: str) -> Path:
    return Path(str(environ.Env.db_url_config(url)["NAME"])).absolute()


def sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        # a file, because tests use threads and a shared in-memory database locks whole tables
        "TEST": {"NAME": path.with_name("test.sqlite3")},
        "OPTIONS": {
            # with deferred transactions half of all concurrent appends fail with "locked"
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
        },
    }


def postgresql(url: str) -> dict[str, Any]:
    config: dict[str, Any] = dict(environ.Env.db_url_config(url))
    # checks each connection, so that none from before a restart of the database is used
    config["ENGINE"] = "liujuan_site.postgresql"
    config["OPTIONS"] = {**NETWORK_TIMEOUTS, **config.get("OPTIONS", {}), "pool": dict(POOL)}
    return config
