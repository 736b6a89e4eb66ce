"""PostgreSQL and SQLite, migrated and empty, and processes of ours that work on either of them."""

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

from tests.production import Postgres
from tests.studio import ROOT


@dataclass(frozen=True, slots=True)
class Database:
    """`env` are the settings of a process that works on it, with the in-memory layer."""

    name: str
    env: dict[str, str]

    def manage(self, command: str, *options: str) -> None:
        arguments = [sys.executable, "manage.py", command, "-v", "0", *options]
        subprocess.run(arguments, cwd=ROOT, env=self.env, check=True)

    def run(self, figure: str, **options: Any) -> Any:
        """What `run(**options)` of the module in `benchmarks.inside` gives, in a new process."""
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
    """PostgreSQL and SQLite; with `purposes` as many of each, named after them too."""
    with tempfile.TemporaryDirectory(prefix="liujuan-benchmark-") as name:
        folder = Path(name)
        postgres = Postgres(folder)
        try:
            postgres.start()
            yield [
                prepared(f"{kind} {purpose}".strip(), folder / f"{kind}-{number}", **env)
                for number, purpose in enumerate(purposes or ("",))
                for kind, env in (
                    ("PostgreSQL", {"DATABASE_URL": new_database(postgres, f"number_{number}")}),
                    ("SQLite", {}),
                )
            ]
        finally:
            postgres.stop("immediate")


def new_database(postgres: Postgres, name: str) -> str:
    """Its URL."""
    postgres.query(f"CREATE DATABASE {name}")
    return f"{postgres.url.rpartition('/')[0]}/{name}"


def prepared(name: str, data_dir: Path, **env: str) -> Database:
    others = {key: text for key, text in os.environ.items() if not key.endswith("_URL")}
    # nobody calls the model; PostgreSQL without the address of one would be a mistake
    env = {**others, "DATA_DIR": str(data_dir), "XINFERENCE_URL": "http://127.0.0.1:9", **env}
    env["SECRET_KEY"] = "for benchmarks on this machine only"
    database = Database(name, env)
    database.manage("migrate")
    return database
