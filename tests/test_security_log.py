"""Security events are single lines that name the client independently of headers."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import RequestFactory, override_settings

from accounts.client_address import client_address, client_network
from accounts.log_format import MAX_VALUE
from accounts.security_log import SecurityEvent, log_event


@pytest.mark.parametrize(
    ("account", "written"),
    [
        ("alice", "alice"),
        ("alice@example.org", "alice@example.org"),
        ("刘娟", "刘娟"),
        (None, "-"),
        ("", '""'),
        ("a b", '"a b"'),
        ("x account=root", '"x account=root"'),
        ('say "hi"', r'"say \"hi\""'),
        ("a\nsign_in_ok account=root", r'"a\nsign_in_ok account=root"'),
        ("a\r\x00\x1b[31m\x7f", r'"a\r\u0000\u001b[31m\u007f"'),
        ("a\u2028b\u202ec\ud800", r'"a\u2028b\u202ec\ud800"'),
        ("n" * 5_000, f'"{"n" * MAX_VALUE}…"'),
    ],
)
def test_a_value_cannot_forge_a_line(
    caplog: pytest.LogCaptureFixture, account: str | None, written: str
) -> None:
    with caplog.at_level(logging.INFO, logger="liujuan.security"):
        log_event(SecurityEvent.SIGN_IN_REFUSED, account=account, address="192.0.2.7", wait=4)

    (record,) = caplog.records
    line = record.getMessage()
    assert line == f"sign_in_refused account={written} address=192.0.2.7 wait=4"
    assert len(line.splitlines()) == 1
    line.encode()


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, None, "192.0.2.1"),
        (0, "6.6.6.6", "192.0.2.1"),
        (1, None, "192.0.2.1"),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (2, "6.6.6.6, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (2, "198.51.100.7", "192.0.2.1"),
        (1, "6.6.6.6, nonsense", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "198.51.100.7:4711", "198.51.100.7"),
        (1, "[2001:db8::7]:4711", "2001:db8::7"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
        (1, "fe80::1%eth0", "fe80::1"),
    ],
)
def test_only_trusted_proxies_forward(proxies: int, forwarded: str | None, address: str) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="192.0.2.1")
    scope: dict[str, Any] = {
        "client": ["192.0.2.1", 4711],
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }

    with override_settings(TRUSTED_PROXIES=proxies):
        assert client_address(request) == address
        assert client_address(scope) == address


@pytest.mark.parametrize("scope", [{}, {"client": None, "headers": []}])
def test_a_unix_socket_has_no_address(scope: dict[str, Any]) -> None:
    assert client_address(scope) == "unknown"


def test_an_ipv6_customer_is_one_client() -> None:
    assert client_network("2001:db8:1:2::7") == client_network("2001:db8:1:2:ffff::1")
    assert client_network("2001:db8:1:2::7") != client_network("2001:db8:1:3::7")
    assert client_network("192.0.2.7") == "192.0.2.7"
