"""For every response a call of the client returns a value or raises an error of our tree."""

from __future__ import annotations

import asyncio
import base64
import gc
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from generation.error_codes import ErrorCode
from generation.exceptions import (
    PictureError,
    StudioError,
    XinferenceAborted,
    XinferenceBusy,
    XinferenceError,
    XinferenceFailed,
    XinferenceKeyRefused,
    XinferenceRefused,
    XinferenceUnreachable,
)
from generation.xinference import XinferenceClient
from generation.xinference.model_list import MAX_LISTED_MODELS, MAX_REPLICAS
from generation.xinference.response_body import MAX_LIST_BODY, MAX_SHORT_BODY, max_picture_body
from tests.contract.demo_process import MODEL
from tests.contract.draw_requests import CALLS
from tests.contract.odd_server import OddServer, response, serving
from tests.contract.served_models import served_models


@pytest.fixture
async def server() -> AsyncIterator[OddServer]:
    async with serving(OddServer()) as server:
        yield server


@pytest.fixture
async def client(server: OddServer) -> AsyncIterator[XinferenceClient]:
    client = XinferenceClient(base_url=server.url, api_key="xf-1")
    yield client
    await client.aclose()


def gzipped(times: int) -> bytes:
    body = bytes(4 * 1024 * 1024)
    for _ in range(times):
        body = gzip.compress(body, 1)
    return body


BIG = b"[" + b"[]," * 700_000 + b"0]"
CHUNKED = "Transfer-Encoding: chunked"
ONE_BYTE_CHUNKS = b"1\r\n[\r\n" * 70_000 + b"0\r\n\r\n"

USELESS: dict[str, bytes] = {
    "nothing": response(b""),
    "no JSON": response(b"<!DOCTYPE html><html></html>"),
    "half of it": response(b'{"progress": 0.'),
    "null": response(b"null"),
    "true": response(b"true"),
    "NaN": response(b"NaN"),
    "a number": response(b"12"),
    "a number of 5,000 digits": response(b"1" * 5_000),
    "a text": response(b'"READY"'),
    "a surrogate": response(b'"\\ud800"'),
    "a list of lists": response(b"[[]]"),
    "a list of null": response(b"[null]"),
    "no UTF-8": response(b'{"progress": "\xff\xfe"}'),
    "a BOM alone": response(b"\xef\xbb\xbf"),
    "NUL": response(b"\0" * 4),
    "deep": response(b"[" * 60_000),
    "deep objects": response(b'{"a":' * 10_000),
    "2 MB of lists": response(BIG),
    "2 MB without a length": b"HTTP/1.1 200 OK\r\n\r\n" + BIG,
    "2 MB in one chunk": response(b"%x\r\n" % len(BIG) + BIG + b"\r\n0\r\n\r\n", "200 OK", CHUNKED),
    "chunks of one byte": response(ONE_BYTE_CHUNKS, "200 OK", CHUNKED),
    "gzip": response(gzipped(1), "200 OK", "Content-Encoding: gzip"),
    "gzip twice": response(gzipped(2), "200 OK", "Content-Encoding: gzip, gzip"),
    "gzip in two headers": response(
        gzipped(2), "200 OK", "Content-Encoding: identity", "content-encoding: GZIP"
    ),
    "an encoding that does not exist": response(b"{}", "200 OK", "Content-Encoding: bogus"),
    "1,000 headers": response(b"{}", "200 OK", *(f"X-{k}: {k}" for k in range(1_000))),
    "a header of 60 KB": response(b"{}", "200 OK", f"X-Long: {'x' * 60_000}"),
    "a header without an end": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 2_000_000,
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n" * 5,
    "no head at all": b"\0" * 200,
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n{}",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
    "a length of 5,000 digits": response(b"{}", length=int("9" * 4_000)),
    "two lengths": response(b"{}", "200 OK", "Content-Length: 3"),
    "a status of its own": response(b"{}", "999 Odd"),
    "204": response(b"", "204 No Content"),
    "a redirect": response(b"", "302 Found", "Location: http://[::1"),
    "500 with 2 MB": response(BIG, "500 Internal Server Error"),
    "500, deep": response(b"[" * 60_000, "500 Internal Server Error"),
    "a cookie that is none": response(b"[null]", "200 OK", "Set-Cookie: \xff=;;;=;expires=x"),
}


@pytest.mark.parametrize("place", CALLS)
async def test_a_useless_answer_ends_in_the_error_tree(
    server: OddServer, client: XinferenceClient, place: str
) -> None:
    for name, answer in USELESS.items():
        server.answers = {place.partition(" ")[0]: answer}

        with pytest.raises((XinferenceError, PictureError)) as caught:
            async with asyncio.timeout(60):
                await CALLS[place](client)

        assert str(caught.value).isprintable(), name
        assert len(str(caught.value)) < 2_200, name


JSON_VALUES = [
    *("null", "true", '""', '"1"', "[]", "{}", "[1]", '{"0": 1}', "NaN", "Infinity", "-Infinity"),
    *("1e999", "-1e999", "1" + 400 * "0", "-1" + 400 * "0"),
]


@pytest.mark.parametrize("value", JSON_VALUES, ids=lambda value: value[:12])
async def test_a_field_of_the_wrong_kind_is_a_useless_answer(
    server: OddServer, client: XinferenceClient, value: str
) -> None:
    places = {"progress": "progress", "abort": "msg", "draw": "images", "draw generations": "data"}
    for place, field in places.items():
        server.answers = {place.partition(" ")[0]: response(f'{{"{field}": {value}}}'.encode())}
        if place == "abort" and value in ('""', '"1"'):
            assert await CALLS[place](client) is False
            continue
        with pytest.raises((XinferenceFailed, PictureError)):
            await CALLS[place](client)


async def test_odd_model_fields_are_bounded(server: OddServer, client: XinferenceClient) -> None:
    for field in ("replica", "replica_statuses", "status", "model_ability", "n_worker"):
        for value in JSON_VALUES:
            odd = (
                f'[{{"model_uid": "{MODEL}", "model_ability": ["text2image"], "{field}": {value}}}]'
            )
            server.answers = {"instances": response(odd.encode())}
            for model in await served_models(client):
                assert 1 <= model.replicas <= MAX_REPLICAS, odd

    for count in (10**9, 200_000, MAX_REPLICAS + 1):
        server.answers = {"instances": response([server.instance(MODEL, replica=count)])}
        (model,) = await served_models(client)
        assert (model.ready, model.replicas) == (True, MAX_REPLICAS)


UNUSABLE_NAMES = [
    *("", ".", "..", "a\0b", "a\nb", "\x1b[31m", "\ud800", "x" * 201, "\u202eabc"),
    *(None, 7, True, ["a"], {"a": 1}),
]


async def test_a_name_that_nothing_can_hold_is_left_out_and_the_others_stay(
    server: OddServer, client: XinferenceClient, caplog: pytest.LogCaptureFixture
) -> None:
    odd = [server.instance(MODEL) | {"model_uid": name} for name in UNUSABLE_NAMES]
    server.answers = {
        "instances": response([*odd, server.instance(MODEL), server.instance(MODEL, replica=9)]),
        "models": response([{"id": name} for name in UNUSABLE_NAMES] + [server.card(MODEL)]),
    }

    for _ in range(3):
        (model,) = await served_models(client)

    assert (model.name, model.ready, model.replicas) == (MODEL, True, 1)
    assert "a\nb" not in caplog.text
    assert caplog.text.count("model_left_out") <= 1


@pytest.mark.parametrize("name", ["x" * 200, "模型/v2", "a b?c#d%2F", "猫" * 200])
async def test_every_other_name_can_be_asked_for(server: OddServer, name: str) -> None:
    server.models = [name]
    client = XinferenceClient(base_url=server.url)

    (model,) = await served_models(client)
    assert await client.abort(model=name, request_id=name)
    await client.aclose()

    assert (model.name, model.ready) == (name, True)
    assert f"replicas {name}" in server.asked


async def test_too_many_models_are_cut(server: OddServer, client: XinferenceClient) -> None:
    server.models = [f"model-{k:04}" for k in range(500)]

    names = [model.name for model in await client.listed(first="model-0499")]

    assert len(names) == MAX_LISTED_MODELS
    assert {"model-0000", "model-0499"} <= set(names)


async def test_a_status_counts_with_any_body(server: OddServer, client: XinferenceClient) -> None:
    """A refused key is not sent again because its refusal came as 2 MB, or packed."""
    packed = "Content-Encoding: gzip"
    for status, kind in (
        ("401 No", XinferenceKeyRefused),
        ("404 No", XinferenceRefused),
        ("409 No", XinferenceAborted),
        ("429 No", XinferenceBusy),
        ("503 No", XinferenceBusy),
    ):
        for answer in (
            response(BIG, status),
            response(gzipped(1), status, packed),
            response(b"\xff", status),
            response(b"[" * 60_000, status),
        ):
            server.answers = {"draw": answer, "models": answer, "instances": answer}
            for place in ("draw", "models"):
                with pytest.raises(kind):
                    await CALLS[place](client)


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


async def test_a_server_without_tls_is_unreachable() -> None:
    async def answer_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"{}", "400 Bad Request"))
        writer.close()

    listener = await asyncio.start_server(answer_at_once, "127.0.0.1", 0)
    client = XinferenceClient(base_url=f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}")

    for call in CALLS.values():
        with pytest.raises(XinferenceUnreachable):
            await call(client)
    await client.aclose()
    listener.close()


@pytest.mark.parametrize("key", ["xf-密钥", "xf-\r\nX: y", "xf \x00"])
async def test_a_key_that_no_header_can_hold_is_never_quoted(server: OddServer, key: str) -> None:
    client = XinferenceClient(base_url=server.url, api_key=key)

    for place, call in CALLS.items():
        server.answers = {place.partition(" ")[0]: response(b"null")}
        with pytest.raises((XinferenceError, PictureError)) as caught:
            await call(client)
        assert "xf" not in str(caught.value)
    await client.aclose()


async def test_server_cookies_are_not_returned(server: OddServer, client: XinferenceClient) -> None:
    server.answers = {"progress": response({"progress": 0}, "200 OK", "Set-Cookie: a=b")}

    for _ in range(2):
        await client.progress("1")

    assert len(server.heads) == 2
    assert "cookie" not in str(server.heads).lower()


async def test_a_refused_key_is_sent_once(server: OddServer, client: XinferenceClient) -> None:
    """Ten bad tries in five minutes ban the address for an hour."""
    refused = response({"detail": "no"}, "401 Unauthorized")
    server.answers = {"progress": refused, "instances": refused}

    async def watch(number: int) -> list[float]:
        return [fraction async for fraction in client.watch(str(number))]

    assert await asyncio.gather(*map(watch, range(30))) == [[]] * 30
    assert len(server.asked) < 10


@pytest.mark.parametrize(
    ("body", "kind", "code", "expected"),
    [
        ({"error": "CUDA out of memory"}, XinferenceFailed, ErrorCode.OUT_OF_MEMORY, "CUDA"),
        ({"detail": "Invalid prompt: nsfw"}, XinferenceRefused, ErrorCode.PROMPT_REFUSED, "nsfw"),
        (
            {"error": {"message": "content policy"}, "images": []},
            XinferenceRefused,
            ErrorCode.PROMPT_REFUSED,
            "policy",
        ),
        (b"<html>Log in</html>", PictureError, ErrorCode.BAD_PICTURE, "a web page answers"),
        ({"images": ["oom/" * 50, "x"]}, PictureError, ErrorCode.BAD_PICTURE, "no picture"),
        ({"message": "out of paint"}, PictureError, ErrorCode.BAD_PICTURE, "out of paint"),
    ],
)
async def test_a_200_without_a_picture_has_its_cause(
    server: OddServer,
    client: XinferenceClient,
    body: object,
    kind: type[StudioError],
    code: ErrorCode,
    expected: str,
) -> None:
    server.answers = {"draw": response(body)}
    for place in ("draw", "draw generations"):
        with pytest.raises(kind) as caught:
            await CALLS[place](client)

        assert caught.value.code == code
        assert expected in caught.value.detail
