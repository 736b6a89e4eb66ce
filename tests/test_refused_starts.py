"""Programs that end at once: unusable settings, or an address that is taken."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.studio import ROOT, free_port


def start(tmp_path: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The real program in an environment of only that."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**kept, "DATA_DIR": str(tmp_path / "data"), **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_start_names_every_mistake_in_one_sentence_each(tmp_path: Path) -> None:
    done = start(
        tmp_path,
        *("manage.py", "serve"),
        PORT="eighty",
        TIME_ZONE="Asia/Beijing2",
        REDIS_URL="redis://:geheim@host:x/0",
    )

    assert done.returncode == 1
    first, *lines = done.stderr.splitlines()
    assert first == "The studio cannot start with these settings:"
    assert {line.split("=")[0].split()[0] for line in lines} == {"PORT", "REDIS_URL", "TIME_ZONE"}
    assert len(lines) == 3
    assert all("Type " in line for line in lines)
    assert "geheim" not in done.stderr


@pytest.mark.parametrize(
    "command",
    [("-m", "daphne", "-p", "1", "liujuan_site.asgi:application"), ("manage.py", "run_worker")],
    ids=["daphne", "run_worker"],
)
def test_a_bad_value_ends_every_command(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = start(tmp_path, *command, XINFERENCE_URL="localhost:9997")

    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [
        "XINFERENCE_URL has no scheme. Type XINFERENCE_URL=http://localhost:9997"
    ]


def test_a_server_refuses_settings_that_do_not_fit_together(tmp_path: Path) -> None:
    command = ("-m", "daphne", "-p", str(free_port()), "liujuan_site.asgi:application")

    done = start(tmp_path, *command, REDIS_URL="redis://127.0.0.1:1/0")

    assert done.returncode == 1
    assert "Set XINFERENCE_URL=http://host:9997" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_nothing_can_listen_on_ends_with_one(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        in_use = start(tmp_path, "manage.py", "serve", PORT=port)
        foreign = start(tmp_path, "manage.py", "serve", HOST="192.0.2.1")

    assert [in_use.returncode, foreign.returncode] == [1, 1]
    assert "Another program listens there. Type PORT=8001" in in_use.stderr
    assert "HOST must be an address of this machine" in foreign.stderr
    assert "Traceback" not in in_use.stderr + foreign.stderr
