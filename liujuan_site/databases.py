"""DATABASE_URL: checked, and as Django wants it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import environ

from liujuan_site.addresses import ENCODE, split
from liujuan_site.environment import InvalidSetting, shown

POSTGRESQL_SCHEMES = {"postgres", "postgresql", "psql", "pgsql"}
POSTGRESQL_EXAMPLE = "postgres://user:password@localhost/studio"
SQLITE_EXAMPLE = "sqlite:////var/lib/liujuan/db.sqlite3"

SILENT_SERVER = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A database host that vanishes sends no end of the connection; the kernel waits for hours."""

WHOLE_NUMBERS = {*SILENT_SERVER, "keepalives", "sslcompression"}
"""Options that libpq reads only when it connects over a network."""

ADDRESSES = {"host", "hostaddr", "port", "user", "password", "passfile", "dbname"}
"""Options that say where and as whom, not how."""

POOL = {
    "min_size": 2,
    "max_size": 8,
    "timeout": 5,
    # beyond that the pool waits twice as long before each further try; with a fresh request for a
    # connection it tries at once
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
    """Raises InvalidSetting for options behind `?` with a name or value unknown to libpq."""
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
        # below a device there is no socket: libpq reads all options, and then fails at once
        conninfo = make_conninfo(**rest, **port, host="/dev/null", user="user", dbname="name")
    except ProgrammingError:
        raise InvalidSetting(
            "has an option behind ? that PostgreSQL does not know (sslmode=require is one)"
        ) from None
    connection = pq.PGconn.connect_start(conninfo.encode())
    said = connection.error_message.decode(errors="replace").strip()
    connection.finish()
    if said and "/dev/null" not in said:
        raise InvalidSetting(f"has an option that PostgreSQL refuses: {shown(said)}")


def database_of(url: str, data_dir: Path) -> dict[str, Any]:
    """Django's DATABASES entry; without `url` SQLite in `data_dir`."""
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
        # tests use threads: SQLite's shared in-memory database locks whole tables
        "TEST": {"NAME": path.with_name("test.sqlite3")},
        "OPTIONS": {
            # without IMMEDIATE half of all concurrent appends fail at once with "locked"
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
        },
    }


def postgresql(url: str) -> dict[str, Any]:
    config: dict[str, Any] = dict(environ.Env.db_url_config(url))
    # looks at each connection: after a restart of the database nobody is handed a dead one
    config["ENGINE"] = "liujuan_site.postgresql"
    config["OPTIONS"] = {**SILENT_SERVER, **config.get("OPTIONS", {}), "pool": dict(POOL)}
    return config
