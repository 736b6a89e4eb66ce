"""The studio in its production shape: PostgreSQL, Redis, webs, workers and a model server.

Each part is a real process on a private port of 127.0.0.1 that can be stopped, killed, frozen and
restarted; `Production.stop` ends all of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import psycopg

from tests.prebuilt import COLLECTED, ROOT, copy_static, made_once, migrate
from tests.studio import PATIENCE, Watcher, free_port, manage, readyz, wait_until

MODEL = "LiuJuan20260223Zimage"

MAKE_ACCOUNTS = """
import logging
from django.contrib.auth.models import User
from django.utils.crypto import get_random_string
from accounts.tokens import create_token
from generation.clock import clock
logging.getLogger("liujuan.security").setLevel("WARNING")
for _ in range(20):
    user = User.objects.create_user(get_random_string(12))
    print(user.username, create_token(owner=user, name="test", now=clock.now()))
"""
"""Several at once, because each run of manage.py takes a second of CPU time."""


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
            *("pg_ctl", "-D", str(self.home / "data"), "-w", "-l", log),
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


class Program:
    """One process; its output of all starts goes to `log`."""

    def __init__(self, name: str, folder: Path, env: dict[str, str]) -> None:
        self.name = name
        self.env = env
        self.log = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def is_ready(self) -> bool:
        raise NotImplementedError

    def start(self) -> Self:
        self.launch()
        wait_until(self.is_ready, what=f"{self.name} is ready")
        return self

    def launch(self) -> None:
        """Start it without waiting until it is ready."""
        with self.log.open("ab") as log:
            self.log_began = log.tell()
            self.process = subprocess.Popen(
                [sys.executable, *self.command()], cwd=ROOT, env=self.env, stdout=log, stderr=log
            )

    def output(self) -> str:
        """What it wrote since its last start."""
        with self.log.open("rb") as log:
            log.seek(self.log_began)
            return log.read().decode(errors="replace")

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Its exit status."""
        assert self.process is not None
        return self.process.wait(seconds)

    def kill(self) -> None:
        if self.alive:
            self.signal(signal.SIGKILL)
            self.wait()

    def stop(self) -> int:
        """Terminate it and wait; its exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)


class Web(Program):
    """Daphne with the studio's application."""

    def __init__(self, name: str, folder: Path, env: dict[str, str]) -> None:
        super().__init__(name, folder, env)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [
            *("-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(self.port)),
            *("--ping-interval", "20", "--ping-timeout", "20"),
            "liujuan_site.asgi:application",
        ]

    def is_ready(self) -> bool:
        assert self.alive, f"{self.name} ended: {self.output()[-2_000:]}"
        try:
            return bool(self.readyz()["database"] == "ok")
        except OSError:
            return False

    def readyz(self) -> dict[str, Any]:
        """The body of /readyz, with any status."""
        return readyz(self.url)[1]


class RunWorker(Program):
    """`manage.py run_worker`."""

    def command(self) -> list[str]:
        return ["manage.py", "run_worker"]

    def is_ready(self) -> bool:
        assert self.alive, f"{self.name} ended: {self.output()[-2_000:]}"
        return "worker ready" in self.output()


class ModelServer(Program):
    """`python -m demo_xinference`, always on the same port."""

    def __init__(self, name: str, folder: Path, *options: str) -> None:
        super().__init__(name, folder, dict(os.environ))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.options = options

    def command(self) -> list[str]:
        return ["-m", "demo_xinference", "--port", str(self.port), *self.options]

    def is_ready(self) -> bool:
        assert self.alive, f"{self.name} ended: {self.output()[-2_000:]}"
        return "READY" in self.output()


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
        **env: str,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.postgres = Postgres(folder)
        self.crowd: list[tuple[str, str]] = []
        self.redis = Redis(folder)
        scripted = folder / "faults.json"
        scripted.write_text(json.dumps(faults or []))
        self.model = ModelServer(
            *("model", folder, "--replicas", str(replicas), "--speed", str(speed)),
            *("--faults", str(scripted), *model_options),
        )
        self.env = {
            **os.environ,
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "XINFERENCE_URL": self.model.url,
            "SECRET_KEY": "for tests on this machine only, and the same for every process",
            **env,
        }
        self.webs = [Web(f"web-{number}", folder, self.env) for number in range(webs)]
        self.workers = [
            RunWorker(f"worker-{number}", folder, self.env) for number in range(workers)
        ]

    @property
    def programs(self) -> list[Program]:
        return [*self.webs, *self.workers, self.model]

    def start(self, *, paused: bool = False) -> Self:
        """`paused`: as a restored copy starts."""
        self.start_stores()
        self.collect_static()
        for program in self.programs:
            program.launch()
        for program in self.programs:
            wait_until(program.is_ready, what=f"{program.name} is ready")
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
        if not self.crowd:
            printed = self.manage("shell", "--no-imports", "-c", MAKE_ACCOUNTS)
            self.crowd = [(made, token) for made, token in map(str.split, printed.splitlines())]
        unknown, token = self.crowd.pop()
        self.query("update auth_user set username = %s where username = %s", name, unknown)
        return token

    def connect(self, token: str, web: int = 0) -> Watcher:
        return Watcher(self.webs[web], token)

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.postgres.query(sql, *values)
