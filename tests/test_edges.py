"""Malformed requests get no server error, and short log lines."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import User

from liujuan_site.asgi import application
from liujuan_site.log_filters import SafeFormatter
from tests.socket.sockets import PATIENCE, cookie_of

HOST = (b"host", b"testserver")
TASK = "00000000-0000-4000-8000-000000000000"
TOO_LARGE = 10**30

PATHS = [
    *("/\x00", "/\ufffd\ufffd", "//evil.example/", "/..%2f..%2fetc/passwd", "/" + "a" * 60_000),
    *("/tasks/" + "0" * 5_000 + "/", f"/pictures/{TASK}/{TOO_LARGE}/"),
    *(f"/pictures/{TASK}/{TOO_LARGE}/thumbnail/", f"/shared/{'a' * 5_000}/{TOO_LARGE}/"),
    *("/shared/\x00/", "/static/\x00", "/static/../../manage.py", "/static/" + "a/" * 5_000),
    *("/gallery/\n", "/admin/\x1b[31m/", "/healthz/../readyz"),
]
QUERIES = [
    *(b"%00", b"from=%00", b"from=" + b"9" * 5_000, b"q=%00&page=%00&since=%00&favourite=%00"),
    *(b"q=" + b"%F0%9F%8E%A8" * 2_000, b"q=%ff%fe%ed%a0%80", b"page=-1"),
    *(b"page=99999999999999999999999999", b"before=%00&after=nan&since=nan&model=%00&size=%00"),
    *(b"cursors=%7B%22%00%22%3A1%7D&since=1e400", b"cursors=" + b"%5B" * 5_000),
    *(b"keys=%00&keys=x:1", b"&".join(b"a%d=1" % number for number in range(1_001)), b"=&=&;&&"),
]
HEADERS = {
    b"cookie": [
        f'{settings.SESSION_COOKIE_NAME}="a\\000bcdefgh"; csrftoken="\\000"'.encode(),
        *(b"\xff\xfe\xfd", b"=; ;;; =x; a", b"sessionid=" + b"x" * 10_000),
        b'messages="[[\\"__json_message\\"'  # cut off
        b"]]; language=\x00",
    ],
    b"accept-language": [b"\xff", b"zh-" * 2_000, b"x;q=1e400, *;q=nan", b"../../etc"],
    b"accept-encoding": [b"\xff, gzip;q=nan"],
    b"authorization": [b"Bearer \xff", b"Basic", b"\xff" * 100],
    b"content-length": [b"-1", b"abc", b"9" * 30],
    b"content-type": [b"multipart/form-data", b"text/html; charset=\xff", b"a" * 5_000],
    b"if-modified-since": [b"\xff", b"99999999999999"],
    b"last-event-id": [b"\xff", b'{"x":' + b"[" * 5_000],
    b"range": [b"bytes=99999999999999999999-"],
    b"referer": [b"\xff", b"http://[bad"],
    b"origin": [b"null", b"\xff", b"http://[bad", b"http://testserver:99999"],
    b"x-forwarded-for": [b"\xff", b"," * 5_000],
    b"x-csrftoken": [b"\xff" * 500],
}
BODIES = [b"\x00", b"\xff" * 1_000, b"a=%00&language=%00&next=%00", b"[" * 50_000]
PAGES = ["/", "/gallery/", "/events/poll/", "/compare/"]


async def ask(
    path: str,
    *,
    query: bytes = b"",
    method: str = "GET",
    headers: tuple[tuple[bytes, bytes], ...] = (HOST,),
    body: bytes = b"",
    version: str = "1.1",
) -> tuple[int, bytes]:
    """Status and body, as a server calls the application."""
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": version,
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(errors="replace"),
        "query_string": query,
        "headers": list(headers),
        "client": ["192.0.2.7", 4711],
        "server": ["127.0.0.1", 8000],
    }
    communicator = ApplicationCommunicator(application, scope)
    await communicator.send_input({"type": "http.request", "body": body})
    start = await communicator.receive_output(PATIENCE)
    parts = [await communicator.receive_output(PATIENCE)]
    while parts[-1].get("more_body"):
        parts.append(await communicator.receive_output(PATIENCE))
    await communicator.wait(PATIENCE)
    return start["status"], b"".join(part.get("body", b"") for part in parts)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Any:
    """Fails on a traceback, and on a line that only an operator should cause."""
    yield
    lines = [SafeFormatter("%(name)s %(message)s").format(each) for each in caplog.records]
    assert [line for line in lines if "\n" in line or len(line) > 1_000] == []
    errors = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert [each.name for each in errors] == []


async def test_strange_requests_are_no_error(running_hub: None, alice: User) -> None:
    cookie = (b"cookie", (await cookie_of(alice)).encode())
    for path in PATHS:
        for method in ("GET", "BREW"):
            status, _body = await ask(path, method=method, headers=(HOST, cookie))
            assert 300 <= status < 500, (method, path[:100])
    for query in QUERIES:
        for page in PAGES:
            status, _body = await ask(page, query=query, headers=(HOST, cookie))
            assert status < 500, (page, query[:100])
    for body in BODIES:
        for form in (b"application/x-www-form-urlencoded", b"multipart/form-data"):
            headers = (HOST, cookie, (b"content-type", form))
            for page in ("/messages/", "/gallery/delete/", "/i18n/setlang/"):
                status, _body = await ask(page, method="POST", headers=headers, body=body)
                assert status < 500, (page, body[:100])


async def test_strange_headers_are_no_error(running_hub: None) -> None:
    for name, values in HEADERS.items():
        for value in values:
            for page, method in (("/", "GET"), (f"/pictures/{TASK}/1/", "POST")):
                status, _body = await ask(page, method=method, headers=(HOST, (name, value)))
                assert status < 500, (page, name, value[:100])


HOSTS = [b"evil.example", b"a" * 8_000, b"\xff", b"[::1", b"testserver\x1b[31m", b"", b"a, b"]


async def test_a_foreign_host_is_one_line(db: None, caplog: pytest.LogCaptureFixture) -> None:
    formatter = SafeFormatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    for host in HOSTS:
        caplog.clear()
        status, body = await ask("/", headers=((b"host", host),))

        assert (status, b"LiuJuan Studio" in body) == (400, True), host[:100]
        (line,) = [formatter.format(each) for each in caplog.records]
        assert " WARNING django.security.DisallowedHost host_refused host=" in line
        assert "ALLOWED_HOSTS" not in line
        assert len(line) < 450
        assert "\n" not in line


async def test_what_django_finds_suspicious_is_no_error(
    db: None, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    body = b"a=1&b=2&c=3&d=4"
    cookie = f"{settings.CSRF_COOKIE_NAME}={'a' * 32}".encode()
    form = (b"content-type", b"application/x-www-form-urlencoded")
    headers = (HOST, form, (b"cookie", cookie), (b"origin", b"http://testserver"))

    status, _page = await ask("/accounts/sign-in/", method="POST", headers=headers, body=body)

    assert status == 400
    assert [each.levelname for each in caplog.records] == ["WARNING"]


async def test_a_client_of_http_1_0_needs_no_host(running_hub: None, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1"]

    status, _body = await ask("/accounts/sign-in/", headers=(), version="1.0")

    assert status == 200


async def test_a_socket_at_another_address_is_refused() -> None:
    for path in ("/", "/ws/", "/ws/generate/", "/ws/other", "/\x00", "/\ufffd"):
        socket = WebsocketCommunicator(application, path)
        accepted, _code = await socket.connect(timeout=PATIENCE)
        assert not accepted, path
        await socket.wait(PATIENCE)


async def test_strange_handshakes_are_closed_with_a_code(running_hub: None) -> None:
    pairs = [(n, v) for n in (b"cookie", b"origin", b"authorization") for v in HEADERS[n]]
    for pair in pairs:
        headers = [HOST, (b"origin", b"http://testserver"), pair]
        socket = WebsocketCommunicator(application, "/ws/generate", headers=headers)
        accepted, _protocol = await socket.connect(timeout=PATIENCE)
        assert accepted
        assert (await socket.receive_output(PATIENCE))["code"] in (4401, 4403)
        await socket.disconnect(timeout=PATIENCE)
