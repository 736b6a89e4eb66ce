"""Every reason why the model server is unusable becomes a sentence with advice."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from generation.bounded_http import HandshakeTimeout, LimitedBackend
from generation.choices import Route
from generation.error_codes import ErrorCode
from generation.exceptions import XinferenceError, XinferenceRefused
from generation.xinference import ServerConnection, XinferenceClient, client_for
from generation.xinference.operator_messages import reason_of_failure
from tests.contract.demo_process import MODEL
from tests.contract.draw_requests import small
from tests.contract.odd_server import OddServer, response, serving
from tests.contract.served_models import served_models
from tests.process.nginx import write_certificate
from tests.studio import free_port

PAGE = b"<!DOCTYPE html><html><body>Welcome</body></html>"
DROPPED = b""
JUNK = b"\x15\x03\x01\x00\x02\x02\x46"


async def reason(url: str, **options: Any) -> str:
    """The message for the operator after a request for the models of `url`."""
    return await reason_to(XinferenceClient(base_url=url, **options))


async def reason_to(client: XinferenceClient) -> str:
    try:
        with pytest.raises(XinferenceError) as caught:
            await served_models(client)
    finally:
        await client.aclose()
    return caught.value.detail


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            response(b"", "301 Moved Permanently", "Location: https://gpu.example/v1/models"),
            "redirects to https://gpu.example: write that as XINFERENCE_URL",
        ),
        (
            response(b"", "302 Found", "Location: https://user:secret@gpu.example:8443/x"),
            "redirects to https://gpu.example:8443: write that",
        ),
        (response(b"", "307 Temporary Redirect", "Location: /login"), "correct the path"),
        (response(b"", "308 Permanent Redirect", "Location: /login"), "correct the path"),
        (response({"detail": "Not Found"}, "404 Not Found"), "XINFERENCE_URL without a path"),
        (response(PAGE, "404 Not Found"), "XINFERENCE_URL without a path"),
        (response(b"404 page not found", "404 Not Found"), "404 page not found"),
        (response(PAGE), "a web page answers"),
        (response(b"hello"), "the answer is not JSON"),
        (response(PAGE, "502 Bad Gateway"), "a proxy at"),
        (response(b"", "504 Gateway Timeout"), "a proxy at"),
        (response(PAGE, "403 Forbidden"), "answers with a web page"),
        (response({"detail": "Could not validate credentials"}, "401 Unauthorized"), "401 Could"),
        (
            response(b"<html>plain HTTP request was sent to HTTPS port</html>", "400 Bad Request"),
            "answers with a web page",
        ),
        (DROPPED, "does it speak https?"),
        (JUNK, "does it speak https?"),
    ],
)
async def test_an_answer_that_is_none_of_xinferences(answer: bytes, expected: str) -> None:
    async with serving(OddServer()) as server:
        server.answers["models"] = answer

        detail = await reason(server.url)

    assert expected in detail
    assert "secret" not in detail
    assert len(detail) < 700


@asynccontextmanager
async def speaking_tls(folder: Path) -> AsyncIterator[int]:
    """The port of a server with a certificate of its own making."""
    write_certificate(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
    async with listening(lambda _reader, writer: writer.close(), tls) as port:
        yield port


@asynccontextmanager
async def listening(
    talk: Callable[..., Any], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    listener = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


async def test_a_certificate_that_is_not_trusted_or_not_for_this_name(tmp_path: Path) -> None:
    async with speaking_tls(tmp_path) as port:
        unknown = await reason(f"https://127.0.0.1:{port}")
        trust = ssl.create_default_context(cafile=str(tmp_path / "fullchain.pem"))
        other_name = await reason(f"https://localhost:{port}", tls=trust)

    assert f"the certificate of 127.0.0.1:{port} is not trusted here" in unknown
    assert "XINFERENCE_CA" in unknown
    assert "is for another name" in other_name


async def test_http_and_https_that_were_mixed_up(tmp_path: Path) -> None:
    def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What HTTP servers make of a TLS handshake."""
        writer.write(response(b"Invalid HTTP request received.", "400 Bad Request"))
        writer.close()

    async with listening(refuse) as port:
        plain = await reason(f"https://127.0.0.1:{port}")
    async with speaking_tls(tmp_path) as port:
        encrypted = await reason(f"http://127.0.0.1:{port}")

    assert "does not speak TLS: write XINFERENCE_URL with http://" in plain
    assert "does it speak https?" in encrypted


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://no-such-host.invalid:9997", "the host name no-such-host.invalid is not known"),
        ("http://user:secret@no-such-host.invalid", "correct XINFERENCE_URL, or the DNS"),
        ("http://127.0.0.1:{closed}", "nothing listens at 127.0.0.1:{closed}: start the model"),
        ("http://localhost:{closed}", "nothing listens at localhost:{closed}: start the model"),
        ("localhost:9997", "XINFERENCE_URL is no address"),
        ("ftp://localhost", "XINFERENCE_URL is no address"),
    ],
)
async def test_an_address_without_a_server(url: str, expected: str) -> None:
    closed = str(free_port())

    detail = await reason(url.format(closed=closed))

    assert expected.format(closed=closed) in detail
    assert "secret" not in detail


async def test_the_settings_of_one_of_several_servers_are_named(tmp_path: Path) -> None:
    async def reason_of(url: str, key: str = "") -> str:
        connection = ServerConnection(url=url, api_key=key, name="gpu-2 (attic)")
        return await reason_to(client_for(connection))

    async with serving(OddServer()) as server:
        bad_key = await reason_of(server.url, "a key\n")
        server.answers = {"models": response(PAGE, "404 Not Found")}
        bad_path = await reason_of(server.url)
    async with speaking_tls(tmp_path) as port:
        unknown = await reason_of(f"https://127.0.0.1:{port}")
    found = [await reason_of(f"http://127.0.0.1:{free_port()}"), bad_key, bad_path, unknown]

    assert "or correct the address of the server gpu-2 [attic] (" in found[0]
    assert "the key of the server gpu-2 [attic] cannot be sent" in bad_key
    assert "write the address of the server gpu-2 [attic] without a path" in bad_path
    assert "set the CA file of the server gpu-2 [attic] to its CA" in unknown
    assert not any("XINFERENCE" in each for each in found)


async def test_a_key_that_no_header_can_carry_is_not_quoted() -> None:
    async with serving(OddServer()) as server:
        detail = await reason(server.url, api_key="a key\nwith lines")

    assert "XINFERENCE_API_KEY cannot be sent" in detail
    assert "with lines" not in detail


PROMPT = "a heron in the reeds at dawn, ink on paper"


@pytest.mark.parametrize(
    "body",
    [
        {"detail": [{"loc": ["body", "prompt"], "msg": "not allowed", "input": PROMPT}]},
        {"detail": f"Invalid prompt: {PROMPT}"},
        {"error": {"message": f"{PROMPT[:20]}... was rejected", "param": "prompt"}},
        f"1 validation error for TextToImageRequest\nprompt\n  {PROMPT!r}".encode(),
        json.dumps({"detail": PROMPT}).replace("a", "\\u0061").encode(),
    ],
)
@pytest.mark.parametrize("status", ["400 Bad Request", "422 Unprocessable Content"])
async def test_a_refusal_never_carries_the_prompt_on(status: str, body: Any) -> None:
    async with serving(OddServer()) as server:
        server.answers["draw"] = response(body, status)
        client = XinferenceClient(base_url=server.url)
        with pytest.raises(XinferenceRefused) as caught:
            await client.draw(model=MODEL, route=Route.TXT2IMG, request=small(prompt=PROMPT))
        await client.aclose()

    detail = caught.value.detail
    assert not re.search("heron|reeds|dawn|paper", detail)
    assert detail.startswith(status[:3])
    if b"prompt" in (body if isinstance(body, bytes) else json.dumps(body).encode()):
        assert caught.value.code == ErrorCode.PROMPT_REFUSED


@pytest.mark.parametrize(
    "answer",
    [
        response(b"", "304 Not Modified", "Location: /login"),
        response(b"", "300 Multiple Choices"),
        response(b"", "308 Permanent Redirect"),
    ],
    ids=["304", "300", "308"],
)
async def test_what_leads_nowhere_is_not_called_a_redirect(answer: bytes) -> None:
    async with serving(OddServer()) as server:
        server.answers = {"models": answer}
        assert "redirects" not in await reason(server.url)


async def test_a_server_that_answered_http_needs_no_https_hint() -> None:
    async with serving(OddServer()) as server:
        client = XinferenceClient(base_url=server.url)
        assert await served_models(client)
        server.answers = {"draw": DROPPED}

        with pytest.raises(XinferenceError, match="broke") as caught:
            await client.draw(model=MODEL, route=Route.TXT2IMG, request=small())

        await client.aclose()
    assert "https" not in caught.value.detail


async def test_a_silent_tls_handshake_is_no_refused_connection() -> None:
    async with serving(OddServer()) as server:
        port = int(server.url.rpartition(":")[2])
        stream = await LimitedBackend().connect_tcp("127.0.0.1", port)

        with pytest.raises(HandshakeTimeout) as caught:
            await stream.start_tls(ssl.create_default_context(), "localhost", 0.05)

    timeout = httpx.ConnectTimeout("")
    timeout.__cause__ = caught.value
    assert "TLS handshake" in reason_of_failure(timeout, "https://gpu:9997")
