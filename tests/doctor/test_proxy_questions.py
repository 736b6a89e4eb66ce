"""Questions about the proxy, asked through an nginx that is right and through wrong ones."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.test import override_settings

from generation import proxy_probe
from generation.management.doctor import proxy_questions
from liujuan_site.asgi import application
from liujuan_site.request_limits import RequestLimits
from tests.process.nginx import Nginx, needs_nginx
from tests.studio import free_port, wait_until

pytestmark = needs_nginx

FLAWS: dict[str, Callable[[str], str]] = {
    "none": lambda site: site,
    "buffers": lambda site: site.replace(
        "proxy_read_timeout", "proxy_ignore_headers X-Accel-Buffering; proxy_read_timeout", 1
    ),
    "small bodies": lambda site: site.replace(
        "client_max_body_size 256k", "client_max_body_size 1k"
    ),
    "no upgrade": lambda site: re.sub(r"proxy_set_header (Upgrade|Connection).*", "", site),
    "no scheme": lambda site: re.sub(r"proxy_set_header X-Forwarded-Proto.*", "", site),
    "no host": lambda site: re.sub(r"proxy_set_header Host.*", "", site),
}
"""What a server block of nginx has wrong."""

HTTPS = {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}


@pytest.fixture(scope="module")
def web() -> Iterator[int]:
    """The port of the application in this process."""
    everything: Any = application
    port = free_port()
    config = uvicorn.Config(everything, port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, what="the web listens")
    yield port
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def addresses(web: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of one nginx with TLS, by its flaw; its certificate is at `trust`."""
    folder: Path = tmp_path_factory.mktemp("nginx")
    nginx = Nginx(folder, webs=[web], data_dir=folder, tls_port=free_port())
    before, block = re.split(r"(?m)^(?=server \{)", (folder / "site.conf").read_text())
    ports = {name: free_port() for name in FLAWS}
    blocks = [with_ports(flaw(block), ports[name]) for name, flaw in FLAWS.items()]
    nginx.port = ports["none"]
    (folder / "site.conf").write_text(before + "".join(blocks))
    nginx.start()
    yield {
        **{name: f"https://127.0.0.1:{port}" for name, port in ports.items()},
        "trust": str(folder / "fullchain.pem"),
    }
    nginx.stop()


def with_ports(block: str, port: int) -> str:
    """The block with TLS on `port` alone."""
    plain, tls = re.findall(r"(?m)^ +listen .*$", block)
    return block.replace(plain, "").replace(tls, f"    listen 127.0.0.1:{port} ssl;")


def states(addresses: dict[str, str], flaw: str) -> dict[str, str]:
    """The answers that are not yes, with what was found."""
    settings = {"PUBLIC_URL": addresses[flaw], "SSL_CERT_FILE": addresses["trust"], **HTTPS}
    with override_settings(**settings):
        return {
            each.question: each.detail for each in proxy_questions.ask_site() if each.state == "no"
        }


@pytest.mark.parametrize(
    ("flaw", "answered_no"),
    [
        ("none", []),
        ("buffers", [proxy_questions.STREAM]),
        ("small bodies", [proxy_questions.BODY]),
        ("no upgrade", [proxy_questions.SOCKET]),
        ("no scheme", [proxy_questions.SECURE]),
        # the upstream's name is no allowed host
        ("no host", [proxy_questions.REACHED]),
    ],
)
def test_each_flaw_has_its_answer(
    addresses: dict[str, str], flaw: str, answered_no: list[str]
) -> None:
    found = states(addresses, flaw)

    assert list(found) == answered_no, found


def test_an_address_where_nothing_listens(addresses: dict[str, str]) -> None:
    dead = {**addresses, "dead": f"https://127.0.0.1:{free_port()}"}

    assert list(states(dead, "dead")) == [proxy_questions.REACHED]


def test_a_certificate_that_is_not_trusted(addresses: dict[str, str]) -> None:
    (found,) = states({**addresses, "trust": ""}, "none").values()

    assert "certificate" in found.lower()


def test_daphne_itself_takes_the_body() -> None:
    assert RequestLimits().body_of(f"/{proxy_probe.PATH}".encode()) >= proxy_questions.BODY_BYTES


def test_without_a_public_address_nothing_is_asked() -> None:
    assert {each.state for each in proxy_questions.ask_site()} == {"skipped"}
