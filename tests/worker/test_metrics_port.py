"""A worker serves its metrics on a port of its own, within limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from django.test import override_settings

from generation.worker import MetricsPort
from generation.worker.metrics_port import MOST_AT_ONCE
from tests.studio import free_port

KEY = "a-key-of-this-test-0123456789"


@pytest.fixture
async def port() -> AsyncIterator[MetricsPort]:
    port = MetricsPort(f"127.0.0.1:{free_port()}")
    await port.start()
    yield port
    await port.close()


async def ask(port: MetricsPort, request: bytes) -> bytes:
    host, _colon, number = port.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(number))
    writer.write(request)
    try:
        return await reader.read()
    except ConnectionResetError:
        # it closed with unread bytes
        return b""
    finally:
        writer.close()


async def test_a_scrape_gets_the_series_of_the_process(port: MetricsPort) -> None:
    answer = await ask(port, b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")

    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"# TYPE liujuan_claim_seconds histogram" in body


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\xff\r\n\r\n",
        b"\r\n\r\n",
    ],
)
async def test_everything_else_is_not_found(port: MetricsPort, request_head: bytes) -> None:
    assert (await ask(port, request_head)).startswith(b"HTTP/1.1 404 ")


async def test_with_a_key_only_the_key_opens_it(port: MetricsPort) -> None:
    with override_settings(METRICS_KEY=KEY):
        without = await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n")
        by_key = f"GET /metrics HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\n\r\n"
        within = await ask(port, by_key.encode())

    assert without.startswith(b"HTTP/1.1 404 ")
    assert within.startswith(b"HTTP/1.1 200 ")


async def test_no_header_makes_the_client_another_one(port: MetricsPort) -> None:
    forged = b"GET /metrics HTTP/1.1\r\nX-Forwarded-For: 10.9.9.9\r\n\r\n"
    with override_settings(METRICS_NETWORKS=["10.0.0.0/8"], TRUSTED_PROXIES=1):
        assert (await ask(port, forged)).startswith(b"HTTP/1.1 404 ")


async def test_a_head_without_an_end_is_not_read_for_ever(port: MetricsPort) -> None:
    assert await ask(port, b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 4_000) == b""
    assert port.connections == 0


async def test_a_port_that_is_taken_is_logged(
    port: MetricsPort, caplog: pytest.LogCaptureFixture
) -> None:
    second = MetricsPort(port.address)

    await second.start()
    await second.close()

    assert f"metrics_port_unusable address={port.address}" in caplog.text


async def test_clients_beyond_a_number_are_closed_at_once(port: MetricsPort) -> None:
    host, _colon, number = port.address.rpartition(":")
    silent = [await asyncio.open_connection(host, int(number)) for _each in range(MOST_AT_ONCE)]
    async with asyncio.timeout(30):
        while port.connections < MOST_AT_ONCE:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    refused = await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n")
    for _reader, writer in silent:
        writer.close()

    assert refused == b""
