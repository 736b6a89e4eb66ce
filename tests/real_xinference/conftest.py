"""The real server that `run` started, or a skip, and a second one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.real_xinference.server import HERE, MODEL, RealServer
from tests.studio import Studio, Watcher, free_port


@pytest.fixture(scope="session")
def real_server() -> RealServer:
    url = os.environ.get("CONTRACT_XINFERENCE_URL")
    runner = os.environ.get("CONTRACT_XINFERENCE_PID")
    if not url or not runner:
        pytest.skip("no real server: tests/real_xinference/run starts one")
    return RealServer(url=url, model=MODEL, runner=int(runner))


@pytest.fixture
def second_server(
    real_server: RealServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealServer]:
    """Another server on this machine, with a model of the same name; a test may kill it."""
    python = os.environ["CONTRACT_XINFERENCE_PYTHON"]
    home = tmp_path_factory.mktemp("second")
    ports = ["--port", str(free_port()), "--metrics-port", str(free_port())]
    program = [python, str(HERE / "server.py"), *ports, "--home", str(home)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        ready = process.stdout.readline().split()
        assert ready[:1] == ["READY"], ready
        yield RealServer(url=ready[1], model=ready[2], runner=process.pid)
        process.terminate()


@pytest.fixture
def watcher(studio: Studio) -> Iterator[Watcher]:
    """A client of the studio of the module."""
    with studio.connect(studio.token()) as watcher:
        watcher.until_type("hello")
        yield watcher
