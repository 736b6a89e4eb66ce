"""The studio in its production shape: PostgreSQL, Redis, webs, workers and a model server.

Each part is a real process on a private port of 127.0.0.1 that can be stopped, killed, frozen and
restarted; `Production.stop` ends all of them.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from accounts.token_hashing import digest_of
from tests.prebuilt import COLLECTED, copy_static
from tests.programs import ModelServer, Program, RunWorker, Web
from tests.stores import Postgres, Redis, migrated_postgres
from tests.studio import Watcher, manage, wait_until

MODEL = "LiuJuan20260223Zimage"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlan:
    """One of several model servers; `faults` are those of `demo_xinference`."""

    replicas: int = 1
    speed: float = 20
    faults: Sequence[Mapping[str, Any]] = ()
    options: tuple[str, ...] = ()

    def program(self, name: str, folder: Path) -> ModelServer:
        scripted = folder / f"{name}-faults.json"
        scripted.write_text(json.dumps(list(self.faults)))
        return ModelServer(
            *(name, folder, "--replicas", str(self.replicas), "--speed", str(self.speed)),
            *("--faults", str(scripted), *self.options),
        )


MAKE_ACCOUNT = """
with account as (
  insert into auth_user
    (username, password, first_name, last_name, email, is_superuser, is_staff, is_active,
     date_joined)
  values (%s, '!', '', '', '', false, false, true, now())
  returning id
)
insert into generation_apitoken (digest, name, created, owner_id)
select %s, 'test', now(), id from account
"""
"""An account with a token, without a run of manage.py, which takes a second."""


class Production:
    """All parts together; `env` are settings of webs and workers alike."""

    def __init__(
        self,
        folder: Path,
        *,
        webs: int = 1,
        workers: int = 1,
        replicas: int = 1,
        speed: float = 20,
        faults: list[dict[str, Any]] | None = None,
        model_options: tuple[str, ...] = (),
        servers: Mapping[str, ServerPlan] | None = None,
        **env: str,
    ) -> None:
        """`servers`: several model servers by name, instead of the one of the other options."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.postgres = Postgres(folder)
        self.redis = Redis(folder)
        one = ServerPlan(replicas=replicas, speed=speed, faults=faults or (), options=model_options)
        self.models = {
            name: plan.program(name, folder) for name, plan in (servers or {"model": one}).items()
        }
        self.model = next(iter(self.models.values()))
        several = len(self.models) > 1
        urls = ",".join(f"{name}={model.url}" for name, model in self.models.items())
        self.env = {
            **os.environ,
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            **({"XINFERENCE_URLS": urls} if several else {"XINFERENCE_URL": self.model.url}),
            "SECRET_KEY": "for tests on this machine only, and the same for every process",
            **env,
        }
        self.webs = [Web(f"web-{number}", folder, self.env) for number in range(webs)]
        self.workers = [
            RunWorker(f"worker-{number}", folder, self.env) for number in range(workers)
        ]

    @property
    def programs(self) -> list[Program]:
        return [*self.webs, *self.workers, *self.models.values()]

    def start(self, *, paused: bool = False) -> Self:
        """`paused`: as a restored copy starts."""
        self.start_stores()
        self.collect_static()
        for program in self.programs:
            program.launch()
        for program in self.programs:
            program.until_ready()
        seen = self.is_paused if paused else self.sees_the_model
        wait_until(seen, what=f"the workers {'pause' if paused else 'have seen the model'}")
        return self

    def start_stores(self) -> None:
        """Start PostgreSQL and Redis, and migrate."""
        is_migrated = COLLECTED in os.environ and not self.postgres.home.exists()
        if is_migrated:
            self.postgres.copy(migrated_postgres(self.env))
        self.postgres.start()
        self.redis.start()
        if not is_migrated:
            self.manage("migrate", "-v", "0")

    def is_paused(self) -> bool:
        return bool(self.webs[0].readyz().get("workers") == "paused")

    def collect_static(self) -> None:
        if COLLECTED in os.environ:
            copy_static(self.folder / "data")
        else:
            self.manage("collectstatic", "-v", "0", "--no-input")

    def sees_the_model(self) -> bool:
        report = self.webs[0].readyz()
        return bool(report["workers"] == "ok" and report["models"] == "ok")

    def restart_ended(self) -> None:
        """Start whatever does not run, and let continue what is frozen."""
        self.postgres.start()
        self.redis.start()
        for program in self.programs:
            if program.alive:
                program.thaw()
            else:
                program.start()

    def stop(self) -> None:
        """Kill all programs, frozen ones too."""
        for program in self.programs:
            program.kill()
        self.redis.stop()
        self.postgres.stop("immediate")

    def manage(self, *arguments: str) -> str:
        return manage(self.env, *arguments)

    def user(self, name: str) -> str:
        """Create an account; its token."""
        token = f"lj-{secrets.token_urlsafe(32)}"
        self.query(MAKE_ACCOUNT, name, digest_of(token))
        return token

    def connect(self, token: str, web: int = 0) -> Watcher:
        return Watcher(self.webs[web], token)

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.postgres.query(sql, *values)
