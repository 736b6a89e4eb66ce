"""One request: to the checked address, without detours, within its limits."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from generation.choices import WebhookOutcome
from generation.webhooks.targets import AllowedTargets
from generation.webhooks.webhook_client import MAX_EXCERPT, WebhookClient
from tests.process.nginx import write_certificate
from tests.webhooks.hooks import answer_lookups
from tests.webhooks.receiver import OK, receiving

LOOPBACK = AllowedTargets.of(["127.0.0.0/8"])
NewClient = Callable[..., WebhookClient]


@pytest.fixture
async def new_client() -> AsyncIterator[NewClient]:
    clients: list[WebhookClient] = []

    def create(targets: AllowedTargets = LOOPBACK, **options: object) -> WebhookClient:
        clients.append(WebhookClient(targets, **options))  # type: ignore[arg-type]
        return clients[-1]

    yield create
    for client in clients:
        await client.aclose()


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def test_the_request_says_little_of_the_sender(new_client: NewClient) -> None:
    async with receiving() as receiver:
        receiver.usual = answer("204 No Content", b"", "Set-Cookie: a=1")
        client = new_client()
        for _ in range(2):
            reply = await client.post(receiver.url, "{}", {"webhook-id": "1"})

    assert (reply.outcome, reply.status) == (WebhookOutcome.DELIVERED, 204)
    first, second = receiver.requests
    assert first.headers.keys() - {"accept"} == {
        *("host", "user-agent", "accept-encoding", "content-type", "content-length"),
        *("connection", "webhook-id"),
    }
    assert "cookie" not in second.headers


async def test_a_name_is_looked_up_once_and_the_connection_goes_there(
    new_client: NewClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving("127.0.0.2") as public, receiving() as private:
        port = public.url.split(":")[2].split("/")[0]
        asked = answer_lookups(monkeypatch, ["127.0.0.2"], ["127.0.0.1"])
        client = new_client(AllowedTargets.of(["127.0.0.2/32"]))

        reply = await client.post(f"http://hooks.example:{port}/hook", "{}", {})
        assert reply.outcome == WebhookOutcome.DELIVERED
        assert asked == ["hooks.example"]
        assert public.requests[0].headers["host"] == f"hooks.example:{port}"

        # the second look-up brings another address, which is not allowed
        reply = await client.post(f"http://hooks.example:{port}/hook", "{}", {})
        assert reply.outcome == WebhookOutcome.NO_ADDRESS
    assert len(public.requests) == 1
    assert private.requests == []


async def test_a_redirect_is_not_followed(new_client: NewClient) -> None:
    async with receiving() as receiver, receiving() as other:
        receiver.usual = answer("307 Temporary Redirect", b"", f"Location: {other.url}")
        reply = await new_client().post(receiver.url, "{}", {})

    assert (reply.outcome, reply.status) == (WebhookOutcome.REDIRECTED, 307)
    assert other.requests == []


async def test_proxies_of_the_environment_are_not_used(
    new_client: NewClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as receiver, receiving() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        reply = await new_client().post(receiver.url, "{}", {})

    assert reply.is_delivered
    assert proxy.requests == []


async def test_little_of_an_answer_is_read_and_less_is_kept(new_client: NewClient) -> None:
    async with receiving() as receiver:
        receiver.usual = answer("500 Internal Server Error", b"\0a\xff\x1b[31m" + b"x" * 2**20)
        reply = await new_client().post(receiver.url, "{}", {})

    assert (reply.outcome, reply.status) == (WebhookOutcome.REFUSED, 500)
    assert reply.excerpt.startswith("a\ufffd[31mxxx")
    assert len(reply.excerpt) <= MAX_EXCERPT


async def test_a_packed_answer_is_not_unpacked(new_client: NewClient) -> None:
    async with receiving() as receiver:
        receiver.usual = answer("200 OK", b"\x1f\x8b", "Content-Encoding: gzip")
        reply = await new_client().post(receiver.url, "{}", {})

    assert (reply.outcome, reply.excerpt) == (WebhookOutcome.DELIVERED, "")


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (None, WebhookOutcome.TIMED_OUT),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", WebhookOutcome.UNREACHABLE),
        (b"not HTTP\r\n\r\n", WebhookOutcome.UNREACHABLE),
        (b"", WebhookOutcome.UNREACHABLE),
    ],
)
async def test_a_receiver_that_does_not_answer_properly(
    new_client: NewClient, response: bytes | None, outcome: WebhookOutcome
) -> None:
    async with receiving() as receiver:
        receiver.usual = response
        # longer than any answer takes, except none
        client = new_client(timeout=0.5 if response is None else 10)
        reply = await client.post(receiver.url, "{}", {})

    assert reply.outcome == outcome


async def test_a_closed_port_is_unreachable(new_client: NewClient) -> None:
    async with receiving() as receiver:
        pass
    reply = await new_client().post(receiver.url, "{}", {})

    assert (reply.outcome, reply.status) == (WebhookOutcome.UNREACHABLE, None)


async def test_the_certificate_must_be_trusted_and_of_this_name(
    new_client: NewClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_certificate(tmp_path)
    chain = tmp_path / "fullchain.pem"
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, tmp_path / "privkey.pem")
    trusting = ssl.create_default_context(cafile=str(chain))
    async with receiving(tls=server) as receiver:
        receiver.usual = OK
        unknown = await new_client().post(receiver.url, "{}", {})
        known = await new_client(tls=trusting).post(receiver.url, "{}", {})
        answer_lookups(monkeypatch, ["127.0.0.1"])
        url = receiver.url.replace("127.0.0.1", "hooks.example")
        other_name = await new_client(tls=trusting).post(url, "{}", {})

    assert unknown.outcome == WebhookOutcome.TLS_FAILED
    assert known.is_delivered
    assert other_name.outcome == WebhookOutcome.TLS_FAILED
