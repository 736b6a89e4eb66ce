"""The real program as a separate process, and a client for its socket."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts.token_hashing import digest_of
from tests.prebuilt import ROOT as ROOT
from tests.prebuilt import furnish

PATIENCE = 60.0


def free_port() -> int:
    """A port that is free for servers, which reuse addresses, until this process ends.

    Otherwise another test, or any outgoing connection, might take it before its server starts.
    """
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port: int = probe.getsockname()[1]
    # stays bound
    probe.detach()
    return port


def wait_until(condition: Callable[[], Any], *, what: str, seconds: float = PATIENCE) -> Any:
    """The first true value of `condition`; fails with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def readyz(url: str) -> tuple[int, dict[str, Any]]:
    """Status and body of /readyz, with any status."""
    try:
        answer = urllib.request.urlopen(f"{url}/readyz", timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, json.load(answer)


def manage(env: Mapping[str, str], *arguments: str) -> str:
    """What a command of manage.py prints."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def session_of(cookies: Mapping[str, str]) -> str:
    """The session cookie of a client as a header; its name differs per installation."""
    (name,) = [name for name in cookies if name.startswith("sessionid_")]
    return f"{name}={cookies[name]}"


class Shell:
    """One `manage.py shell` that runs any number of programs: its start takes most of the time."""

    READ_AND_RUN = """
import contextlib, io, json, sys
for line in sys.stdin:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(json.loads(line), {})
    print(json.dumps(printed.getvalue()), flush=True)
"""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", self.READ_AND_RUN],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, program: str) -> str:
        """What the program prints."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(program), file=self.process.stdin, flush=True)
        printed = self.process.stdout.readline()
        assert printed, "the program failed"
        text: str = json.loads(printed)
        return text.strip()

    def close(self) -> None:
        with self.process as process:
            assert process.stdin is not None
            # the end of the input is the end of the shell
            process.stdin.close()
            process.wait(timeout=PATIENCE)


class Studio:
    """`manage.py serve` on a free port with its own DATA_DIR."""

    def __init__(self, data_dir: Path, **env: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.env = {**os.environ, **env, "DATA_DIR": str(data_dir), "PORT": str(self.port)}
        self.process: subprocess.Popen[str] | None = None
        self.printed: dict[str, str] = {}
        self.log = data_dir / "studio.log"
        self.open_shell: Shell | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Studio:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        furnish(self.data_dir, self.env)
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=ROOT,
                env=self.env,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.read_what_it_prints()
        wait_until(self.is_ready, what="the studio is ready")
        return self

    def read_what_it_prints(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        while "Model" not in self.printed:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"the studio did not start: {self.log.read_text()}")
            match = re.match(r"(URL|Name|Password|Model): (.*)", line)
            if match:
                self.printed[match[1]] = match[2]

    def is_ready(self) -> bool:
        try:
            status, body = readyz(self.url)
        except OSError:
            return False
        if self.env.get("EMBEDDED_WORKER") == "0":
            return status == 200
        return status == 200 and body["workers"] == "ok" and bool(body["models"])

    def signal(self, number: int) -> int:
        """Send a signal and wait for the end; the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(timeout=PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def stop(self) -> None:
        if self.open_shell is not None:
            self.open_shell.close()
            self.open_shell = None
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGTERM)

    def shell(self, program: str) -> str:
        """What a program prints that runs with the settings of this studio."""
        self.open_shell = self.open_shell or Shell(self.env)
        return self.open_shell.run(program)

    def manage(self, *arguments: str) -> str:
        return manage(self.env, *arguments)

    def token(self) -> str:
        """A new token of the printed account.

        A row as `create_token` writes it, because each run of manage.py takes a second.
        """
        token = f"lj-{secrets.token_urlsafe(32)}"
        values = (digest_of(token), datetime.now(UTC).isoformat(" "), self.printed["Name"])
        connection = sqlite3.connect(self.data_dir / "db.sqlite3", timeout=20, isolation_level=None)
        with closing(connection) as database:
            database.execute(
                "insert into generation_apitoken (digest, name, created, owner_id)"
                " select ?, 'test', ?, id from auth_user where username = ?",
                values,
            )
        return token

    def connect(self, token: str) -> Watcher:
        return Watcher(self, token)


class Site(Protocol):
    """A server of the studio at a port."""

    port: int

    @property
    def url(self) -> str: ...


class Watcher:
    """A socket client that keeps every message."""

    def __init__(self, site: Site, token: str) -> None:
        self.token = token
        self.site = site
        self.messages: list[dict[str, Any]] = []
        self.connection = connect(
            f"ws://127.0.0.1:{site.port}/ws/generate",
            additional_headers={"Authorization": f"Bearer {token}"},
        )

    def __enter__(self) -> Watcher:
        self.socket: ClientConnection = self.connection.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.connection.__exit__(*error)

    def send(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def receive(self, seconds: float = PATIENCE) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.socket.recv(timeout=seconds))
        self.messages.append(message)
        return message

    def until(
        self, condition: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE
    ) -> dict[str, Any]:
        """The first message from now on for which `condition` holds."""
        end = time.monotonic() + seconds
        while True:
            try:
                message = self.receive(max(0.0, end - time.monotonic()))
            except (TimeoutError, ConnectionClosed) as error:
                seen = [(each["type"], each.get("kind")) for each in self.messages]
                raise AssertionError(f"never came; saw {seen}") from error
            if condition(message):
                return message

    def until_type(self, *types: str, seconds: float = PATIENCE) -> dict[str, Any]:
        return self.until(lambda message: message["type"] in types, seconds)

    def generate(self, prompt: str = "LiuJuan", **fields: Any) -> str:
        """Submit a task; its id."""
        self.send(action="generate", prompt=prompt, **fields)
        task_id: str = self.until_type("ack")["task_id"]
        return task_id

    def events(self, task_id: str) -> list[dict[str, Any]]:
        return [m for m in self.messages if m.get("task_id") == task_id and "kind" in m]

    def fetch(self, path: str) -> bytes:
        """The file behind a URL of a frame, opened with the same token."""
        request = urllib.request.Request(
            self.site.url + path, headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            body: bytes = answer.read()
            return body
