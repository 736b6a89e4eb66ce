"""For every response a call of the client returns a value or raises an error of our tree."""

from __future__ import annotations

import asyncio

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
from tests.contract.draw_requests import CALLS
from tests.contract.odd_answers.odd_bodies import (
    BIG,
    CHUNKED,
    JSON_VALUES,
    ONE_BYTE_CHUNKS,
    gzipped,
)
from tests.contract.odd_server import OddServer, response

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
