"""Certificate authorities that the client trusts."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.test import override_settings

from generation.exceptions import XinferenceUnreachable
from generation.xinference import client_for, configured_connection
from tests.contract.served_models import served_models
from tests.process.nginx import write_certificate


class Empty(BaseHTTPRequestHandler):
    """A model server that serves nothing."""

    def do_GET(self) -> None:
        body = json.dumps({"data": []} if self.path == "/v1/models" else []).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    write_certificate(tmp_path)
    return tmp_path / "fullchain.pem"


@pytest.fixture
def url(authority: Path) -> Iterator[str]:
    """A server with a certificate of an unknown authority."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority, authority.with_name("privkey.pem"))
    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever).start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("setting", ["XINFERENCE_CA", "SSL_CERT_FILE"])
async def test_a_private_authority_is_trusted(authority: Path, url: str, setting: str) -> None:
    with override_settings(XINFERENCE_URL=url, **{setting: str(authority)}):
        client = client_for(configured_connection())

    assert await served_models(client) == []
    await client.aclose()


async def test_without_its_name_it_is_not(url: str) -> None:
    with override_settings(XINFERENCE_URL=url):
        client = client_for(configured_connection())

    with pytest.raises(XinferenceUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        await served_models(client)
    await client.aclose()
