"""Gradio, and Django with Celery, as systems that make pictures with the same model server.

They run in an environment of their own, because they need older versions of common packages.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.lib.process_stats import family
from benchmarks.lib.systems import FixedModel, Requester, System
from tests.programs import Program
from tests.stores import Postgres, Redis
from tests.studio import ROOT, free_port, wait_until

GRADIO, GRADIO_CLIENT = "Gradio, as its page calls it", "Gradio, its Python client"
CELERY = "Django, Celery, Redis and group_send"
PYTHON = ROOT / ".venv-peers/bin/python"
CALLS = 64
"""Most calls at once, as many as the studio makes."""

TIMEOUT = 60.0


def package_version(name: str) -> str:
    """Of a package in the environment of the peers."""
    program = f"import importlib.metadata as m; print(m.version({name!r}))"
    return subprocess.check_output([PYTHON, "-c", program], text=True).strip()


class PeerProgram(Program):
    """A server in the environment of the peers; ready when `path` answers, without it at once."""

    python = str(PYTHON)

    def __init__(self, name: str, folder: Path, env: dict[str, str], *arguments: str) -> None:
        super().__init__(name, folder, env)
        self.port = free_port()
        self.arguments = arguments
        self.path = "/"

    def command(self) -> list[str]:
        return ["-m", *(each.format(port=self.port) for each in self.arguments)]

    def is_ready(self) -> bool:
        assert self.alive, f"{self.name} ended: {self.output()[-2_000:]}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{self.path}", timeout=60):
                return True
        except OSError:
            return False


class CeleryWorker(PeerProgram):
    def is_ready(self) -> bool:
        assert self.alive, f"{self.name} ended: {self.output()[-2_000:]}"
        return " ready." in self.output()


class GradioSession:
    """The queue as Gradio's page uses it: join by a request, then listen to an event stream."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.session = secrets.token_hex(6)

    async def join(self) -> None:
        body = {"data": ["LiuJuan"], "fn_index": 0, "session_hash": self.session}
        answer = await self.http.post("/gradio_api/queue/join", json=body)
        answer.raise_for_status()

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """Every message of the stream, until it ends."""
        parameters = {"session_hash": self.session}
        async with self.http.stream("GET", "/gradio_api/queue/data", params=parameters) as stream:
            stream.raise_for_status()
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    async def request(self) -> float:
        began = time.perf_counter()
        await self.join()
        async for message in self.messages():
            if message["msg"] == "process_completed":
                assert message["success"], message
                return time.perf_counter() - began
        raise AssertionError("the stream ended without a picture")


class GradioClientRequester:
    """Gradio's own client in a process of its own, which measures."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    async def request(self) -> float:
        return float(await asyncio.to_thread(self.answer))

    def answer(self) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(file=self.process.stdin, flush=True)
        return self.process.stdout.readline()


@dataclass(frozen=True, slots=True, kw_only=True)
class GradioSystem(System):
    async def requesters(self, count: int) -> list[Requester]:
        http = gradio_http(self.port)
        return [GradioSession(http) for _person in range(count)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradioClientSystem(System):
    process: subprocess.Popen[str]

    async def requesters(self, count: int) -> list[Requester]:
        return [GradioClientRequester(self.process)]


def gradio_http(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        timeout=TIMEOUT,
        limits=httpx.Limits(max_connections=None, keepalive_expiry=TIMEOUT),
        trust_env=False,
    )


@contextmanager
def gradio(folder: Path, model: FixedModel) -> Iterator[System]:
    env = {
        **os.environ,
        "MODEL_URL": model.url,
        "DATA_DIR": str(folder),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
    }
    page = PeerProgram("gradio", folder, env, "benchmarks.peers.gradio_page", "--port", "{port}")
    try:
        page.start()
        yield GradioSystem(name=GRADIO, port=page.port, pids=family(page.pid), drawer=page)
    finally:
        page.kill()


@contextmanager
def gradio_client(page: System) -> Iterator[System]:
    command = [str(PYTHON), "-m", "benchmarks.peers.gradio_client_requests"]
    with subprocess.Popen(
        [*command, f"http://127.0.0.1:{page.port}"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        # leaving this block closes its standard input, which ends it
        yield GradioClientSystem(name=GRADIO_CLIENT, port=page.port, process=process)


@contextmanager
def celery(folder: Path, model: FixedModel, people: int) -> Iterator[System]:
    """PostgreSQL, Redis, Daphne, and one worker with a thread for each call."""
    folder.mkdir()
    with ExitStack() as ends:
        postgres, redis = Postgres(folder), Redis(folder)
        ends.callback(postgres.stop, "immediate")
        ends.callback(redis.stop)
        postgres.start()
        redis.start()
        env = {
            **os.environ,
            "DATA_DIR": str(folder),
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "MODEL_URL": model.url,
        }
        site = "benchmarks.peers.celery_site"
        subprocess.run([PYTHON, "-m", site], cwd=ROOT, env=env, check=True)
        web = PeerProgram(
            *("celery-web", folder, env, "daphne", "-v", "0", "-b", "127.0.0.1", "-p", "{port}"),
            f"{site}:application",
        )
        web.path = "/pictures"
        worker = CeleryWorker(
            *("celery-worker", folder, env, "celery", "-A", site, "worker"),
            *("--pool", "threads", "--concurrency", str(CALLS), "--loglevel", "INFO"),
        )
        for program in (web, worker):
            ends.callback(program.kill)
            program.launch()
        for program in (web, worker):
            wait_until(program.is_ready, what=f"{program.name} is ready")
        yield System(
            name=CELERY,
            port=web.port,
            people=[{"Cookie": f"user={number}"} for number in range(people)],
            pids=[*family(web.pid), *family(worker.pid)],
            drawer=worker,
        )
