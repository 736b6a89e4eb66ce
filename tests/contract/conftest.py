"""Three servers, one contract: the demo in this process, the demo as a process, the real one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from demo_xinference.app import DemoXinference, create_app
from generation.xinference import XinferenceClient
from tests.contract.demo_process import MODEL, SPEED, DemoProcess

REAL_URL = os.environ.get("CONTRACT_XINFERENCE_URL", "")
REAL_METRICS = os.environ.get("CONTRACT_XINFERENCE_METRICS", "")
NO_REAL = pytest.mark.skipif(not REAL_URL, reason="CONTRACT_XINFERENCE_URL names no real server")


def open_client(app: DemoXinference, api_key: str = "") -> XinferenceClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return XinferenceClient(
        base_url="http://demo", api_key=api_key, transport=transport, metrics_url="http://demo"
    )


@pytest.fixture(scope="session")
def demo_process() -> Iterator[DemoProcess]:
    process = DemoProcess("--speed", str(SPEED))
    yield process
    process.stop()


@pytest.fixture(
    params=[
        "demo in this process",
        "demo as a server",
        pytest.param("real server", marks=[pytest.mark.real, NO_REAL]),
    ]
)
async def client(request: pytest.FixtureRequest) -> AsyncIterator[XinferenceClient]:
    """A client of each server in turn; the server is idle and well when the test begins."""
    app = None
    if request.param == "demo in this process":
        app = create_app(speed=SPEED)
        client = open_client(app)
    elif request.param == "demo as a server":
        url = request.getfixturevalue("demo_process").url
        client = XinferenceClient(base_url=url, metrics_url=url)
    else:
        client = XinferenceClient(base_url=REAL_URL, metrics_url=REAL_METRICS)
    yield client
    await client.aclose()
    if app is not None:
        await app.aclose()


Demo = Callable[..., tuple[DemoXinference, XinferenceClient]]


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    """Call it with create_app's settings (and `key`, what the client sends)."""
    opened: list[tuple[DemoXinference, XinferenceClient]] = []

    def open_demo(*, key: str = "", **settings: object) -> tuple[DemoXinference, XinferenceClient]:
        app = create_app(**({"speed": SPEED, "model": MODEL} | settings))  # type: ignore[arg-type]
        opened.append((app, open_client(app, key)))
        return opened[-1]

    yield open_demo
    for app, client in opened:
        await client.aclose()
        await app.aclose()
    await asyncio.sleep(0)
