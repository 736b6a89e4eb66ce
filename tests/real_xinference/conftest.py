"""The real server that `run` started, or a skip."""

from __future__ import annotations

import os

import pytest

from tests.real_xinference.server import MODEL, RealServer


@pytest.fixture(scope="session")
def real_server() -> RealServer:
    url = os.environ.get("CONTRACT_XINFERENCE_URL")
    runner = os.environ.get("CONTRACT_XINFERENCE_PID")
    if not url or not runner:
        pytest.skip("no real server: tests/real_xinference/run starts one")
    return RealServer(url=url, model=MODEL, runner=int(runner))
