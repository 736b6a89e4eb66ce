"""A server that sends odd answers, and its client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from generation.xinference import XinferenceClient
from tests.contract.odd_server import OddServer, serving


@pytest.fixture
async def server() -> AsyncIterator[OddServer]:
    async with serving(OddServer()) as server:
        yield server


@pytest.fixture
async def client(server: OddServer) -> AsyncIterator[XinferenceClient]:
    client = XinferenceClient(base_url=server.url, api_key="xf-1")
    yield client
    await client.aclose()
