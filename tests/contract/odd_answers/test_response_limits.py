"""Bounds on what is read of a response, and what an error keeps of it."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import tracemalloc

import pytest

from generation.exceptions import PictureError, StudioError, XinferenceBusy, XinferenceFailed
from generation.xinference import XinferenceClient
from generation.xinference.response_body import MAX_LIST_BODY, MAX_SHORT_BODY, max_picture_body
from tests.contract.draw_requests import CALLS
from tests.contract.odd_answers.odd_bodies import CHUNKED, ONE_BYTE_CHUNKS
from tests.contract.odd_server import OddServer, response


@pytest.mark.parametrize(
    ("expected", "meant"),
    [("7", 7.0), ("1e300", 3600.0), ("-1", None), ("nan", None), ("inf", None), ("9" * 500, None)],
)
async def test_the_retry_time_of_a_server_is_bounded(
    server: OddServer, client: XinferenceClient, expected: str, meant: float | None
) -> None:
    server.answers = {"draw": response(b"{}", "503 No", f"Retry-After: {expected}")}

    with pytest.raises(XinferenceBusy) as caught:
        await CALLS["draw"](client)

    assert caught.value.retry_after == meant


async def test_a_body_is_read_up_to_its_limit(server: OddServer, client: XinferenceClient) -> None:
    pixels = base64.b64encode(bytes(256 * (4 * 256 + 1)) + bytes(60_000)).decode()
    server.answers = {"draw": response({"images": [pixels], "parameters": "x" * 50_000})}
    assert await CALLS["draw"](client) == pixels

    server.answers = {"draw": response({"images": ["A" * max_picture_body(256, 256)]})}
    with pytest.raises(PictureError, match="more than"):
        await CALLS["draw"](client)

    for place, limit in (("progress", MAX_SHORT_BODY), ("models", MAX_LIST_BODY)):
        server.answers = {place: response(b" " * (limit - 18) + b'{"progress": 0.25}')}
        if place == "progress":
            assert await client.progress("1") == 0.25
        server.answers = {place: response(b" " * (limit - 17) + b'{"progress": 0.25}')}
        with pytest.raises(XinferenceFailed, match="more than"):
            await CALLS[place](client)


@pytest.mark.parametrize("place", ["draw", "progress", "models"])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (response(ONE_BYTE_CHUNKS, "200 OK", CHUNKED), "chunks of"),
        (b"HTTP/1.1 102 X\r\n\r\n" * 100_000, "no head within"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 50_000, "no head within"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100_000, "no head within"),
    ],
    ids=["chunks of one byte", "102", "103", "headers"],
)
async def test_others_go_on_while_crumbs_are_read_and_few_of_them_are(
    server: OddServer, client: XinferenceClient, answer: bytes, expected: str, place: str
) -> None:
    server.answers = {place: answer}
    call = asyncio.ensure_future(CALLS[place](client))
    turns = 0
    while not call.done():
        await asyncio.sleep(0)
        turns += 1

    assert isinstance(call.exception(), StudioError)
    assert expected in str(call.exception())
    assert turns > 50


async def test_interim_responses_are_skipped(server: OddServer, client: XinferenceClient) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" + b"HTTP/1.1 102 Processing\r\n\r\n" * 500
    server.answers = {"progress": interim + response({"progress": 0.25})}

    assert await client.progress("1") == 0.25


async def test_an_error_keeps_no_response(server: OddServer, client: XinferenceClient) -> None:
    """Cycles are collected rarely here: an error that is one must not hold what was read."""
    held: list[StudioError] = []
    texts = [json.dumps({"images": ["!" * 300_000, 1], "msg": 1, "progress": []}).encode()]
    texts.append(b"[" + b"[]," * 20_000 + b"0]")
    gc.disable()
    try:
        for tracing in (False, True):
            if tracing:
                tracemalloc.start()
            for text in texts:
                for place in ("draw", "models", "progress", "abort") * 5:
                    server.answers = {place: response(text)}
                    with pytest.raises(StudioError) as caught:
                        await CALLS[place](client)
                    held.append(caught.value)
        kept, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()

    assert len(held) == 80
    assert kept < 4_000_000
