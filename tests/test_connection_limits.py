"""Connection limits of a web process without nginx, with a test clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.daphne_wires import BUFFER, GET, GET_LONG, LIMITS, LONG, Site

OpenSite = Callable[..., Site]


@pytest.fixture
def open_site() -> Iterator[OpenSite]:
    """Start a site; its connections are closed in the end."""
    sites: list[Site] = []

    def open_one(**limits: int) -> Site:
        sites.append(Site(**limits))
        return sites[-1]

    yield open_one
    for site in sites:
        for wire in site.wires:
            wire.loseConnection()


def post(path: bytes, *headers: bytes) -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (path, b"".join(h + b"\r\n" for h in headers))


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        (b"/messages/", 70_000, 200),
        (b"/messages/", 256 * 1024, 200),
        (b"/messages/", 256 * 1024 + 1, 413),
        (b"/anything/", 300 * 1024 * 1024, 413),
        (b"/api/v1/tasks", 256 * 1024, 200),
        (b"/anything/", 16 * 1024 + 1, 413),
        (b"/", 16 * 1024 + 1, 413),
        (b"/accounts/sign-in/", 16 * 1024, 200),
        (b"/accounts/sign-in/?next=/", 16 * 1024 + 1, 413),
        (b"/healthz", 16 * 1024 + 1, 413),
    ],
)
async def test_a_body_is_refused_by_its_length_before_it_is_read(
    open_site: OpenSite, path: bytes, size: int, status: int
) -> None:
    site = open_site()
    wire = site.connect()
    wire.send(post(path, b"Content-Length: %d" % size), b"x" * min(size, 300_000))

    assert await site.answers(wire) == [status]
    assert site.asked == ([(path.decode(), size)] if status == 200 else [])
    if status == 413:
        assert b"Connection: close" in wire.value()
        site.clock.advance(LIMITS.linger_seconds)
        assert wire.closed


async def test_a_body_in_chunks_is_counted_while_it_comes(open_site: OpenSite) -> None:
    site = open_site()
    wire, small = site.connect(), site.connect()
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    begin = post(b"/messages/", b"Transfer-Encoding: chunked")

    small.send(begin, chunk, b"0\r\n\r\n")
    wire.send(begin, *[chunk] * 100)

    assert await site.answers(small, wire) == [200, 413]
    assert site.asked == [("/messages/", 0x10000)]


async def test_a_request_that_drips_is_ended(open_site: OpenSite) -> None:
    site = open_site()
    header, body = site.connect(), site.connect()
    header.send(b"GET / HTTP/1.1\r\n")
    body.send(post(b"/messages/", b"Content-Length: 1000"))
    for _second in range(30):
        header.send(b"X-A: b\r\n")
        body.send(b"x")
        site.clock.advance(1)
    assert (header.status, body.status) == (408, 0)
    for _second in range(40):
        body.send(b"x")
        site.clock.advance(1)

    assert body.status == 408
    assert (header.closed, body.closed) == (True, True)
    assert site.connections.count == 0


async def test_only_silent_connections_are_closed(open_site: OpenSite) -> None:
    site = open_site()
    silent, used = site.connect(), site.connect()
    used.send(GET)
    await site.answers(used)
    site.clock.advance(LIMITS.header_seconds)
    assert (silent.closed, used.closed) == (True, False)

    used.clear()
    used.send(b"GET /again HTTP/1.1\r\n", b"Host: x\r\n\r\n")
    assert await site.answers(used) == [200]
    site.clock.advance(61)
    assert used.closed


async def test_pipelined_requests_are_answered_in_order(open_site: OpenSite) -> None:
    site = open_site()
    wire = site.connect()

    wire.send(GET + post(b"/two/", b"Content-Length: 3") + b"abc" + GET)
    await wire.until(3, b"200 OK")

    assert site.asked == [("/", 0), ("/two/", 3), ("/", 0)]


async def test_unread_responses_do_not_pile_up(open_site: OpenSite) -> None:
    site = open_site()
    deaf, reading = site.connect(), site.connect()
    deaf.reads = False
    deaf.send(GET_LONG * 100)
    reading.send(GET_LONG * 100)
    # what goes on for one client meanwhile could have gone on for the other
    await reading.until(100, b"200 OK")
    assert deaf.value().count(b"200 OK") == BUFFER // LONG + 1
    assert len(deaf.value()) < BUFFER + 2 * LONG

    deaf.read_on()
    await deaf.until(100, b"200 OK")
    site.clock.advance(LIMITS.unread_seconds / 3)

    assert not deaf.closed
    assert len(site.asked) == 200


@pytest.mark.parametrize("leaves", [True, False])
async def test_a_client_that_never_reads_is_closed(open_site: OpenSite, leaves: bool) -> None:
    site = open_site()
    deaf = site.connect()
    deaf.reads = False
    deaf.send(GET_LONG * 100)
    await deaf.until(BUFFER // LONG + 1, b"200 OK")
    # Daphne forgets within a second what has ended
    site.server.connections.clear()
    if leaves:
        deaf.connectionLost(None)
    else:
        site.clock.advance(LIMITS.unread_seconds - 1)
        assert not deaf.closed
        site.clock.advance(1)

    assert deaf.closed
    assert site.connections.count == 0
    assert site.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    "header",
    [
        b"X: y\r\n" * 200,
        b"X: " + b"y" * 20_000 + b"\r\n",
        b"".join([b"X: " + b"y" * 900 + b"\r\n"] * 30),
    ],
)
async def test_too_many_headers_are_refused(open_site: OpenSite, header: bytes) -> None:
    site = open_site()
    wire = site.connect()

    wire.send(b"GET / HTTP/1.1\r\n", header, b"\r\n")

    assert wire.closed
    assert site.asked == []


async def test_a_connection_that_waits_makes_place_for_a_new_one(open_site: OpenSite) -> None:
    site = open_site(most=3)
    silent = [site.connect() for _each in range(3)]
    new = site.connect()
    new.send(GET)

    assert await site.answers(new) == [200]
    assert [wire.closed for wire in silent] == [True, False, False]
    assert site.connections.count == 3


async def test_a_full_server_still_answers_probes(open_site: OpenSite) -> None:
    site = open_site(most=2)
    busy = [site.connect() for _each in range(2)]
    for wire in busy:
        # the application waits for a request that is whole: it is under way for the channel
        site.connections.note_busy(wire.channel.tracked)
    refused, probe = site.connect(), None
    refused.send(GET)
    assert await site.answers(refused) == [503]
    assert b"Retry-After: 5" in refused.value()

    probe = site.connect()
    probe.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await site.answers(probe) == [200]
    assert not any(wire.closed for wire in busy)


async def test_one_address_has_its_own_number_of_connections(open_site: OpenSite) -> None:
    site = open_site(per_client=2)
    first, second = site.connect(), site.connect()
    others = [site.connect(f"192.0.2.{number}") for number in range(10, 20)]
    site.connect()

    assert (first.closed, second.closed) == (True, False)
    assert not any(wire.closed for wire in others)
    assert {peer.count for peer in site.connections.peers.values()} == {1, 2}


async def test_what_is_closed_leaves_nothing_behind(open_site: OpenSite) -> None:
    site = open_site(most=5, per_client=3)
    for number in range(50):
        wire = site.connect(f"192.0.2.{number % 3}")
        if number % 2:
            wire.send(GET)
            await site.answers(wire)
    site.clock.advance(100)

    assert site.connections.count == 0
    assert site.connections.peers == {}
    assert site.connections.idle == {}
