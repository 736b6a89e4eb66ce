"""Ways to a model server behind nginx: TLS, client certificates, passwords, paths, proxies."""

from __future__ import annotations

import asyncio
import datetime
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from generation.choices import Route
from generation.exceptions import XinferenceError
from generation.xinference import ServerConnection, client_for
from tests.contract.demo_process import MODEL, SPEED, DemoProcess
from tests.contract.draw_requests import small
from tests.contract.served_models import served_models
from tests.process.certificates import Authority
from tests.process.nginx import PrivateNginx, needs_nginx
from tests.studio import free_port

pytestmark = needs_nginx

LOOPBACK = ("127.0.0.1", "::1")
USER = "studio:p%40ss"
"""With a password that has to be encoded in a URL."""

SITE = """
server {
    listen 127.0.0.1:$plain;
    location /gpu/1/ { proxy_pass $demo/; }
    location /secret/ {
        auth_basic "model server";
        auth_basic_user_file users;
        proxy_pass $demo/;
    }
    location / { proxy_pass $demo; }
}
server {
    listen 127.0.0.1:$tls ssl;
    listen [::1]:$tls ssl;
    ssl_certificate server.pem;
    ssl_certificate_key server.pem;
    location /gpu/1/ { proxy_pass $demo/; }
    location / { proxy_pass $demo; }
}
server {
    listen 127.0.0.1:$expired ssl;
    ssl_certificate expired.pem;
    ssl_certificate_key expired.pem;
    location / { proxy_pass $demo; }
}
server {
    listen 127.0.0.1:$mutual ssl;
    ssl_certificate server.pem;
    ssl_certificate_key server.pem;
    ssl_client_certificate authority.pem;
    ssl_verify_client on;
    location / { proxy_pass $demo; }
}
"""


@dataclass
class Front:
    """nginx in front of the demo model server."""

    folder: Path
    demo: str
    ports: dict[str, int] = field(
        default_factory=lambda: {
            name: free_port() for name in ("plain", "tls", "expired", "mutual")
        }
    )

    def url(self, name: str, *, host: str = "127.0.0.1", user: str = "", path: str = "") -> str:
        scheme = "http" if name == "plain" else "https"
        return f"{scheme}://{user and f'{user}@'}{host}:{self.ports[name]}{path}"

    def file(self, name: str) -> str:
        return str(self.folder / f"{name}.pem")

    def site(self) -> str:
        site = SITE.replace("$demo", self.demo)
        for name, port in self.ports.items():
            site = site.replace(f"${name};", f"{port};").replace(f"${name} ", f"{port} ")
        return site


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("nginx")
    authority, other = Authority(folder), Authority(folder, "other")
    authority.issue("server", addresses=LOOPBACK)
    authority.issue("expired", addresses=LOOPBACK, end=-datetime.timedelta(days=1))
    authority.issue("studio")
    other.issue("stranger")
    (folder / "users").write_text("studio:{PLAIN}p@ss\n", encoding="utf-8")
    demo = DemoProcess("--speed", str(SPEED))
    front = Front(folder, demo.url)
    nginx = PrivateNginx(folder, site=front.site(), port=front.ports["plain"])
    try:
        nginx.start()
        yield front
    finally:
        nginx.stop()
        demo.stop()


async def draw(connection: ServerConnection) -> str:
    """A picture by this connection, after the list of its models."""
    client = client_for(connection)
    try:
        models = await served_models(client)
        assert [each.name for each in models if each.ready] == [MODEL]
        return await client.draw(model=MODEL, route=Route.TXT2IMG, request=small())
    finally:
        await client.aclose()


async def refusal(connection: ServerConnection) -> str:
    """The message for the operator."""
    client = client_for(connection)
    try:
        with pytest.raises(XinferenceError) as caught:
            await client.listed()
    finally:
        await client.aclose()
    assert "p@ss" not in caught.value.detail
    assert USER not in caught.value.detail
    return caught.value.detail


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("plain", {"path": "/"}),
        ("plain", {"path": "/gpu/1"}),
        ("plain", {"path": "/gpu/1//"}),
        ("plain", {"path": "/secret/", "user": USER}),
        ("tls", {}),
        ("tls", {"path": "/gpu/1/"}),
        ("tls", {"host": "[::1]"}),
        ("mutual", {}),
    ],
)
async def test_a_picture_comes_by_every_way(front: Front, name: str, place: dict[str, str]) -> None:
    connection = ServerConnection(
        url=front.url(name, **place),
        ca_file=front.file("authority"),
        client_certificate=front.file("studio"),
    )

    assert await draw(connection)


async def test_without_verification_any_certificate_will_do(front: Front) -> None:
    for name in ("tls", "expired"):
        assert await draw(ServerConnection(url=front.url(name), verify=False))
        assert "CERTIFICATE_VERIFY_FAILED" in await refusal(ServerConnection(url=front.url(name)))


@pytest.mark.parametrize(
    ("name", "files", "expected"),
    [
        (
            "tls",
            {"ca_file": "other"},
            "the certificate of {at} is not trusted here: set XINFERENCE_CA",
        ),
        ("expired", {}, "the certificate of {at} has expired: renew it"),
        ("mutual", {}, "{at} asks for a client certificate: set XINFERENCE_CLIENT_CERTIFICATE"),
        (
            "mutual",
            {"client_certificate": "stranger"},
            "{at} does not accept our client certificate: correct XINFERENCE_CLIENT_CERTIFICATE",
        ),
    ],
)
async def test_a_certificate_that_is_wrong_is_explained(
    front: Front, name: str, files: dict[str, str], expected: str
) -> None:
    used = {"ca_file": "authority", **files}
    paths: dict[str, Any] = {key: front.file(value) for key, value in used.items()}

    detail = await refusal(ServerConnection(url=front.url(name), **paths))

    assert expected.format(at=f"127.0.0.1:{front.ports[name]}") in detail


@pytest.mark.parametrize("user", ["", "studio:wrong", "other:p%40ss"])
async def test_a_wrong_password_is_explained(front: Front, user: str) -> None:
    url = front.url("plain", path="/secret", user=user)

    assert "asks for another user or password: correct XINFERENCE_URL" in await refusal(
        ServerConnection(url=url)
    )


async def forward(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        return
    finally:
        sink.close()


@asynccontextmanager
async def http_proxy(user: str = "") -> AsyncIterator[tuple[str, list[str]]]:
    """An HTTP proxy: its URL without user, and the request lines that it has read."""
    lines: list[str] = []
    tasks: set[asyncio.Task[Any] | None] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines.append(head.partition("\r\n")[0])
        method, target, _version = lines[-1].split()
        wanted = f"Basic {b64encode(user.encode()).decode()}"
        if user and f"proxy-authorization: {wanted}".lower() not in head.lower():
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        place = target if method == "CONNECT" else target.split("/")[2]
        host, _colon, port = place.rpartition(":")
        far, out = await asyncio.open_connection(host, int(port))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            out.write(head.encode())
        await asyncio.gather(forward(reader, out), forward(far, writer))

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", lines
    finally:
        server.close()
        # they end with the connections of their clients
        await asyncio.gather(*filter(None, tasks))


@pytest.mark.parametrize("name", ["plain", "tls"])
async def test_calls_pass_through_a_proxy(front: Front, name: str) -> None:
    url, ca_file = front.url(name), front.file("authority")
    async with http_proxy(user="me:p@ss") as (proxy, lines):
        assert await draw(
            ServerConnection(url=url, ca_file=ca_file, proxy=f"http://me:p%40ss@{proxy}")
        )
        assert lines[0].startswith("CONNECT 127" if name == "tls" else "GET http://127")
        refused = await refusal(
            ServerConnection(url=url, ca_file=ca_file, proxy=f"http://me:wrong@{proxy}")
        )

    assert "407" in refused
    assert "correct XINFERENCE_PROXY" in refused


@pytest.mark.parametrize("name", ["plain", "tls"])
async def test_a_proxy_that_is_down_is_named(front: Front, name: str) -> None:
    proxy = f"127.0.0.1:{free_port()}"

    detail = await refusal(ServerConnection(url=front.url(name), proxy=f"http://me:secret@{proxy}"))

    assert f"nothing listens at {proxy}: start the proxy, or correct XINFERENCE_PROXY" in detail
    assert "secret" not in detail


async def test_a_proxy_of_the_environment_is_not_used(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")

    assert await draw(ServerConnection(url=front.url("plain")))
    assert await draw(ServerConnection(url=front.url("tls"), ca_file=front.file("authority")))
