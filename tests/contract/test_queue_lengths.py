"""Calls that run or wait on the model server, from the metrics port of its worker."""

from __future__ import annotations

import asyncio

import pytest

from generation.exceptions import XinferenceError
from generation.xinference import XinferenceClient
from generation.xinference.queue_lengths import queue_lengths
from tests.contract.demo_process import MODEL
from tests.contract.draw_requests import drawn, long, moving, small, until
from tests.contract.odd_server import OddServer, response, serving

PUBLISHED = """# HELP xinference:model_serve_count Running and queued.
# TYPE xinference:model_serve_count gauge
xinference:model_serve_count{model_uid="paints",replica_index="0"} 2.0
xinference:model_serve_count{model_uid="paints",replica_index="1"} 1.0
xinference:model_serve_count{model_uid="writes",replica_index="0"} 0.0
xinference:model_request_total{model_uid="paints",replica_index="0"} 7.0
"""


async def test_running_and_waiting_calls_are_counted_and_ended_ones_are_not(
    client: XinferenceClient,
) -> None:
    async def length() -> int:
        return (await client.queue_lengths()).get(MODEL, 0)

    first, second = long(steps=60), small()
    running = drawn(client, first)
    await until(lambda: moving(client, first.request_id))
    waiting = drawn(client, second)

    async def are_two() -> bool:
        return await length() == 2

    async def are_none() -> bool:
        return await length() == 0

    await until(are_two)
    await client.abort(model=MODEL, request_id=first.request_id)
    await asyncio.gather(running, waiting, return_exceptions=True)
    await until(are_none)


def test_replicas_are_added_up() -> None:
    assert queue_lengths(PUBLISHED) == {"paints": 3, "writes": 0}


@pytest.mark.parametrize("value", ["NaN", "-1", "1e300", "+Inf"])
def test_absurd_lengths_are_left_out(value: str) -> None:
    assert queue_lengths(f'xinference:model_serve_count{{model_uid="paints"}} {value}\n') == {}


def test_a_sum_is_bounded() -> None:
    lines = [
        f'xinference:model_serve_count{{model_uid="paints",replica_index="{number}"}} 9999\n'
        for number in range(9)
    ]
    assert queue_lengths("".join(lines)) == {"paints": 10_000}


@pytest.mark.parametrize(
    "answer",
    [
        response({"detail": "Not Found"}, "404 Not Found"),
        response({"detail": "Unauthorized"}, "401 Unauthorized"),
        response(b'xinference:model_serve_count{model_uid="paints 7\n'),
        response(b"x" * 2**19),
        response(b"", "302 Found", "Location: http://elsewhere/"),
        response(b"\x1f\x8b", "200 OK", "Content-Encoding: gzip"),
        b"",
    ],
    ids=["404", "401", "torn", "long", "redirect", "gzip", "dropped"],
)
async def test_an_unusable_answer_is_an_error(answer: bytes) -> None:
    async with serving(OddServer()) as server:
        server.answers["metrics"] = answer
        client = XinferenceClient(base_url=server.url, metrics_url=server.url)
        with pytest.raises(XinferenceError) as refused:
            await client.queue_lengths()
        await client.aclose()

    assert refused.value.detail
    assert "XINFERENCE_URL" not in refused.value.detail


async def test_metrics_that_hang_are_given_up() -> None:
    """What was seen of the models is recorded after them."""
    async with serving(OddServer()) as server:
        server.answers["metrics"] = None
        client = XinferenceClient(base_url=server.url, metrics_url=server.url)
        with pytest.raises(XinferenceError) as refused:
            await client.queue_lengths()
        await client.aclose()

    assert refused.value.detail == "no metrics within 2 s"


async def test_the_key_is_not_sent_to_the_metrics_port() -> None:
    async with serving(OddServer()) as server, serving(OddServer()) as worker:
        worker.answers["metrics"] = response(PUBLISHED.encode())
        client = XinferenceClient(base_url=server.url, api_key="sk-secret", metrics_url=worker.url)
        assert await client.queue_lengths() == {"paints": 3, "writes": 0}
        await client.aclose()

    assert "secret" not in "".join(worker.heads)
    assert server.heads == []


async def test_a_server_without_an_address_of_its_metrics_is_not_asked() -> None:
    async with serving(OddServer()) as server:
        client = XinferenceClient(base_url=server.url)
        assert await client.queue_lengths() == {}
        await client.aclose()

    assert server.asked == []
