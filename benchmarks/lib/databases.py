"""Migrated empty databases of PostgreSQL and SQLite, and processes that use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.prebuilt import COLLECTED, ROOT, furnish
from tests.stores import Postgres, migrated_postgres


@dataclass(frozen=True, slots=True)
class Database:
    """`env`: settings of a process that uses it, with the in-memory layer."""

    name: str
    env: dict[str, str]

    def manage(self, command: str, *options: str) -> None:
        arguments = [sys.executable, "manage.py", command, "-v", "0", *options]
        subprocess.run(arguments, cwd=ROOT, env=self.env, check=True)

    def run(self, figure: str, **options: Any) -> Any:
        """The result of `run(**options)` of a module in `benchmarks.inside`, in a new process."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.inside", figure],
            cwd=ROOT,
            env=self.env,
            input=json.dumps(options),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)


@contextmanager
def both_databases(*purposes: str) -> Iterator[list[Database]]:
    """PostgreSQL and SQLite; with `purposes` one of each per purpose."""
    with private_postgres() as (postgres, folder):
        yield [
            prepared(f"{kind} {purpose}".strip(), folder / f"{kind}-{number}", **env)
            for number, purpose in enumerate(purposes or ("",))
            for kind, env in (
                ("PostgreSQL", {"DATABASE_URL": new_database(postgres, f"number_{number}")}),
                ("SQLite", {}),
            )
        ]


@contextmanager
def postgres_databases(*purposes: str) -> Iterator[list[Database]]:
    """One database per purpose."""
    with private_postgres() as (postgres, folder):
        yield [
            prepared(each, folder / each, DATABASE_URL=new_database(postgres, each))
            for each in purposes
        ]


@contextmanager
def private_postgres() -> Iterator[tuple[Postgres, Path]]:
    """A server and the folder of its data, removed in the end.

    Within a run of the tests its first database is migrated, and the template of others.
    """
    with tempfile.TemporaryDirectory(prefix="liujuan-benchmark-") as name:
        folder = Path(name)
        postgres = Postgres(folder)
        if COLLECTED in os.environ:
            postgres.copy(migrated_postgres(environment(folder / "template")))
        try:
            postgres.start()
            yield postgres, folder
        finally:
            postgres.stop("immediate")


def new_database(postgres: Postgres, name: str) -> str:
    """Create a database; its URL."""
    postgres.query(f"CREATE DATABASE {name} TEMPLATE postgres")
    return f"{postgres.url.rpartition('/')[0]}/{name}"


def prepared(name: str, data_dir: Path, **env: str) -> Database:
    database = Database(name, environment(data_dir, **env))
    if COLLECTED in os.environ:
        data_dir.mkdir(mode=0o700)
        furnish(data_dir, database.env)
    else:
        database.manage("migrate")
    return database


def environment(data_dir: Path, **env: str) -> dict[str, str]:
    others = {key: text for key, text in os.environ.items() if not key.endswith("_URL")}
    return {
        **others,
        "DATA_DIR": str(data_dir),
        # the model is never called, but a check requires its address with PostgreSQL
        "XINFERENCE_URL": "http://127.0.0.1:9",
        "SECRET_KEY": "for benchmarks on this machine only",
        **env,
    }
