"""Use of connections by the client, against a minimal server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from generation.exceptions import XinferenceFailed, XinferenceUnreachable
from generation.xinference import XinferenceClient
from tests.contract.draw_requests import drawn, small

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking_to(talk: Talk) -> AsyncIterator[XinferenceClient]:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    client = XinferenceClient(base_url=f"http://{host}:{port}")
    try:
        yield client
    finally:
        await client.aclose()
        server.close()
        await server.wait_closed()


def answer(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def test_a_poll_on_a_connection_gone_stale_is_sent_again():
    connections = []

    async def hang_up_on_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b'{"progress": 0.5}'))
        await reader.readuntil(b"\r\n\r\n")

    async with talking_to(hang_up_on_second) as client:
        assert [await client.progress("1"), await client.progress("1")] == [0.5, 0.5]

    assert len(connections) == 2


async def test_a_server_that_always_hangs_up_is_unreachable_after_two_tries():
    connections = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.readuntil(b"\r\n\r\n")

    async with talking_to(hang_up) as client:
        with pytest.raises(XinferenceUnreachable):
            await client.progress("1")
        assert len(connections) == 2
        with pytest.raises(XinferenceFailed):
            await drawn(client, small())

    assert len(connections) == 3


@pytest.mark.parametrize(("sent", "expected"), [(b"-3", 0.0), (b"17", 1.0), (b"1e-3", 0.001)])
async def test_progress_stays_within_its_range(sent, expected):
    async def exaggerate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b'{"progress": ' + sent + b"}"))

    async with talking_to(exaggerate) as client:
        assert await client.progress("1") == expected


async def test_the_key_travels_in_the_header_and_results_are_not_compressed():
    heads = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        writer.write(answer(b'{"detail": "1"}', "400 Bad Request"))

    async with talking_to(note) as client:
        keyed = XinferenceClient(base_url=str(client._connections._calls.base_url), api_key="xf-1")
        assert await keyed.progress("a/b ä") is None
        await keyed.aclose()

    assert "authorization: bearer xf-1\r\n" in heads[0]
    assert "accept-encoding: identity\r\n" in heads[0]
    assert heads[0].startswith("get /v1/requests/a%2fb%20%c3%a4/progress ")
