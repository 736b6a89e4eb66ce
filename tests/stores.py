"""A private PostgreSQL and a private Redis on ports of 127.0.0.1."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.prebuilt import COLLECTED, made_once, migrate
from tests.studio import free_port, wait_until


def postgres_programs() -> Path:
    """Debian keeps them out of the PATH."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


class Postgres:
    """A private PostgreSQL below `folder`; its data survive stop and start."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.home = folder / "postgres"
        self.port = free_port()
        self.url = f"postgres://studio@127.0.0.1:{self.port}/postgres"
        self.options = options
        self.running = False
        # PostgreSQL refuses to run as root
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self.as_user, str(postgres_programs() / program), *arguments],
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> Self:
        """Start it, if it does not run."""
        if self.running:
            return self
        if not self.home.exists():
            self.home.mkdir(parents=True)
            if self.as_user:
                open_the_way(self.home)
                subprocess.run(["chown", "postgres", str(self.home)], check=True)
            data = str(self.home / "data")
            self.run("initdb", "--no-sync", "-D", data, "-A", "trust", "-U", "studio")
        settings = [
            f"-p {self.port}",
            "-c listen_addresses=127.0.0.1",
            "-c unix_socket_directories=''",
            *self.options,
        ]
        log = str(self.home / "log")
        self.run(
            *("pg_ctl", "-D", str(self.home / "data"), "-w", "-t", "300", "-l", log),
            *("-o", " ".join(settings), "start"),
        )
        self.running = True
        return self

    def copy(self, data: Path) -> None:
        """Begin with a copy of the data directory of another, which does not run."""
        self.home.mkdir(parents=True)
        if self.as_user:
            open_the_way(self.home)
        subprocess.run(["cp", "-a", str(data), str(self.home / "data")], check=True)
        if self.as_user:
            subprocess.run(["chown", "postgres", str(self.home)], check=True)

    def stop(self, mode: str = "fast") -> None:
        """`fast` ends every connection; `immediate` is a crash that start() recovers from."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.run("pg_ctl", "-D", str(self.home / "data"), "-m", mode, "stop")
        self.running = False

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []


def migrated_postgres(env: Mapping[str, str]) -> Path:
    """A data directory with every table and no rows; the first caller of a run makes it."""
    with made_once("postgres") as path:
        if not path.exists():
            postgres = Postgres(path.with_name("new")).start()
            migrate({**env, "DATABASE_URL": postgres.url})
            postgres.stop()
            postgres.home.rename(path)
    return path / "data"


def migrated_template(env: Mapping[str, str]) -> str:
    """The name of a database of the server at DATABASE_URL with every table and no rows.

    The first caller of a run makes it; CREATE DATABASE copies it in a tenth of the time.
    """
    name = template_name(env)
    with made_once("template"), psycopg.connect(env["DATABASE_URL"], autocommit=True) as server:
        if not server.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            url = urlsplit(env["DATABASE_URL"])._replace(path=f"/{name}")
            migrate({**env, "DATABASE_URL": url.geturl()})
    return name


def drop_template(env: Mapping[str, str]) -> None:
    with psycopg.connect(env["DATABASE_URL"], autocommit=True) as server:
        name = sql.Identifier(template_name(env))
        server.execute(sql.SQL("drop database if exists {}").format(name))


def template_name(env: Mapping[str, str]) -> str:
    """Another one for each run of the tests."""
    return f"migrated-{Path(env[COLLECTED]).parent.name}"


def open_the_way(folder: Path) -> None:
    """Let other users traverse our private temporary folders without reading them."""
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o001)


class Redis:
    """A private Redis without persistence."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it, if it does not run."""
        if self.process is not None:
            return self
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        wait_until(self.answers, what="Redis answers")
        return self

    def answers(self) -> bool:
        ping = ["redis-cli", "-p", str(self.port), "ping"]
        return subprocess.run(ping, capture_output=True).returncode == 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
