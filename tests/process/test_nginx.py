"""The studio behind Debian's nginx with the site file of deploy/."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.demo_faults import SOME_SECONDS
from tests.process.nginx import needs_nginx
from tests.process.nginx_site import Site
from tests.process.site_messages import ending_of, first_of, frames_of, submit, until_over
from tests.studio import PATIENCE, manage, session_of, wait_until

pytestmark = needs_nginx


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    try:
        site.start()
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="module")
def browser(site: Site) -> Iterator[httpx.Client]:
    """A client that has signed in with the form, as Alice."""
    with site.client() as client:
        site.sign_in(client)
        yield client


def test_a_person_signs_in_and_sees_the_studio(browser: httpx.Client) -> None:
    page = browser.get("/")

    assert page.status_code == 200
    assert 'id="studio-state"' in page.text


def test_a_page_opens_the_socket_by_its_cookie(site: Site, browser: httpx.Client) -> None:
    cookie = session_of(browser.cookies)

    with site.socket(Cookie=cookie, Origin=site.url) as socket:
        assert first_of(socket) == "hello"


def test_the_doctor_finds_nothing_wrong(site: Site) -> None:
    trust = {"SSL_CERT_FILE": str(site.nginx.folder / "fullchain.pem")}
    printed = manage({**site.production.env, **trust}, "doctor", "--json")

    answers = json.loads(printed)["answers"]
    asked = {each["part"] for each in answers if each["state"] == "yes"}
    assert [each for each in answers if each["state"] == "no"] == []
    assert asked == {
        *("settings", "database", "redis", "disk", "model server", "workers", "proxy"),
        "webhooks",
    }


def test_a_page_of_another_site_does_not(site: Site, browser: httpx.Client) -> None:
    cookie = session_of(browser.cookies)

    with (
        site.socket(Cookie=cookie, Origin="https://evil.example") as socket,
        pytest.raises(ConnectionClosed) as closed,
    ):
        socket.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403


def test_events_come_through_as_they_happen(site: Site, browser: httpx.Client) -> None:
    with browser.stream("GET", "/events/") as stream:
        frames = frames_of(stream)
        hello = next(frames)
        task_id = submit(site, browser)
        received = until_over(frames, task_id)

    assert hello["type"] == "hello"
    assert received[0]["type"] == "task"
    seqs = [frame["seq"] for frame in received if "kind" in frame]
    assert seqs == list(range(1, len(seqs) + 1))


def test_a_stream_continues_at_another_web(site: Site, browser: httpx.Client) -> None:
    """The id is all that the second web knows of the first one."""
    one, other = site.production.webs
    cookie = {"Cookie": session_of(browser.cookies), "X-Forwarded-Proto": "https"}
    with httpx.stream("GET", f"{one.url}/events/", headers=cookie, timeout=PATIENCE) as stream:
        lines = stream.iter_lines()
        # it must not be over before the stream names what is known
        task_id = submit(site, browser, **SOME_SECONDS)
        last_id = next(line for line in lines if line.startswith("id: ") and task_id in line)
    known = json.loads(last_id.removeprefix("id: "))[task_id]

    headers = {**cookie, "Last-Event-ID": last_id.removeprefix("id: ")}
    with httpx.stream("GET", f"{other.url}/events/", headers=headers, timeout=PATIENCE) as stream:
        received = until_over(frames_of(stream), task_id)

    seqs = [frame["seq"] for frame in received if "kind" in frame]
    assert seqs == list(range(known + 1, seqs[-1] + 1))


def test_a_program_runs_a_task_to_its_result(site: Site) -> None:
    seqs = [message["seq"] for message in site.messages if "kind" in message]

    assert site.messages[-1]["type"] == "result"
    assert seqs == list(range(1, len(seqs) + 1))


def test_a_message_of_64_kib_gets_through_to_be_refused_with_words(site: Site) -> None:
    with site.socket(site.alice) as socket:
        socket.send(json.dumps({"action": "generate", "prompt": "x" * 70_000}))
        messages = [json.loads(socket.recv()) for _each in range(2)]

    assert messages[-1]["code"] == "too_long"


def test_nginx_sends_the_picture_byte_for_byte(site: Site) -> None:
    data = site.file().read_bytes()
    with site.client(site.alice) as client:
        answer = client.get(site.picture["url"])
        part = client.get(site.picture["url"], headers={"Range": "bytes=0-9"})
        again = client.get(
            site.picture["url"], headers={"If-None-Match": answer.headers.get("ETag", "")}
        )

    assert answer.status_code == 200
    assert answer.content == data
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Accel-Redirect" not in answer.headers
    # the studio itself knows neither parts nor tags: nginx sent the file
    assert (part.status_code, part.content) == (206, data[:10])
    assert again.status_code == 304


OF_NGINX = {
    *("server", "connection", "date", "expires", "content-length"),
    *("etag", "last-modified", "accept-ranges", "x-accel-redirect"),
}
"""What nginx says of a file itself, and the moment of the answer."""


def test_a_picture_has_the_studios_headers(site: Site, browser: httpx.Client) -> None:
    token = browser.cookies.jar
    csrf = next(each.value for each in token if each.name.startswith("csrftoken"))
    task_id = site.messages[-1]["task_id"]
    link = browser.post(
        f"/tasks/{task_id}/share/", headers={"X-CSRFToken": csrf or "", "Referer": f"{site.url}/"}
    ).json()["url"]
    web = site.production.webs[0].url
    for path in (site.picture["url"], f"{httpx.URL(link).path}1/"):
        through = browser.get(path, headers={"X-Request-ID": "the-same"})
        cookies = "; ".join(f"{each.name}={each.value}" for each in browser.cookies.jar)
        direct = httpx.get(
            f"{web}{path}",
            headers={
                "Cookie": cookies,
                "X-Forwarded-Proto": "https",
                "X-Request-ID": "the-same",
                "Host": httpx.URL(site.url).netloc.decode(),
            },
        )

        assert (through.status_code, direct.status_code) == (200, 200)
        assert direct.headers["X-Accel-Redirect"]
        assert headers_of(through) == headers_of(direct)
        assert {"content-security-policy", "strict-transport-security"} <= headers_of(
            through
        ).keys()
    assert through.headers["X-Robots-Tag"] == "noindex"
    assert through.headers["Referrer-Policy"] == "no-referrer"


def headers_of(answer: httpx.Response) -> dict[str, list[str]]:
    """Those of the studio; the parts of a policy come in any order."""
    return {
        name: sorted(value.split("; "))
        for name, value in answer.headers.items()
        if name not in OF_NGINX
    }


def test_a_cached_picture_belongs_to_its_session(site: Site, browser: httpx.Client) -> None:
    answer = browser.get(site.picture["url"])

    assert answer.status_code == 200
    assert "Cookie" in answer.headers["Vary"]


def test_a_thumbnail_is_sent_as_what_it_is(site: Site) -> None:
    # made after the task's end: until then its address serves the picture
    wait_until(site.has_thumbnail, what="the thumbnail was made")
    with site.client(site.alice) as client:
        answer = client.get(site.picture["thumbnail_url"])

    assert answer.headers["Content-Type"] == "image/webp"
    assert answer.content[8:12] == b"WEBP"


def test_the_files_of_pictures_cannot_be_asked_for(site: Site) -> None:
    name = site.file().relative_to(site.data_dir / "media")
    with site.client(site.alice) as client:
        answers = [
            client.get(f"/_media/{name}"),
            client.get(f"/static/../media/{name}"),
            client.get(f"/static/%2e%2e/media/{name}"),
            client.get(f"/static../media/{name}"),
        ]

    assert [answer.status_code for answer in answers] == [404, 404, 404, 404]


def test_pictures_need_permission(site: Site) -> None:
    with site.client(site.bob) as bob, site.client("lj-wrong") as wrong, site.client() as unknown:
        answers = [who.get(site.picture["url"]) for who in (bob, wrong, unknown)]

    assert [answer.status_code for answer in answers] == [404, 401, 302]
    assert "/accounts/sign-in/" in answers[2].headers["Location"]


def test_a_picture_whose_file_is_gone_is_not_found(site: Site) -> None:
    file = site.file()
    away = file.rename(file.with_suffix(".away"))
    try:
        with site.client(site.alice) as client:
            answer = client.get(site.picture["url"])
    finally:
        away.rename(file)

    assert answer.status_code == 404
    # Django's page, with Django's headers
    assert "Content-Security-Policy" in answer.headers


def test_static_files_are_kept_as_long_as_their_name_promises(site: Site) -> None:
    with site.client() as client:
        page = client.get("/accounts/sign-in/").text
        link = re.search(r'href="(/static/\S+\.css)"', page)
        assert link
        hashed = client.get(link[1], headers={"Accept-Encoding": "gzip"})
        plain = client.get(re.sub(r"\.[0-9a-f]{6}\.", ".", link[1]))

    assert hashed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert hashed.headers["Content-Encoding"] == "gzip"
    assert hashed.headers["Content-Type"] == "text/css"
    assert (plain.status_code, plain.headers["Cache-Control"]) == (200, "public, max-age=60")


def test_plain_http_cannot_claim_https(site: Site) -> None:
    lie = {"X-Forwarded-Proto": "https"}

    answer = httpx.get(f"{site.nginx.url}/accounts/sign-in/", headers=lie)

    assert answer.status_code == 301
    assert answer.headers["Location"].startswith("https://")


def test_a_stopping_web_costs_no_request(site: Site) -> None:
    """While one web after the other goes and comes back, every page is answered."""
    done = threading.Event()
    answers: list[int] = []
    asking = threading.Thread(target=keep_asking, args=(site, done, answers))
    asking.start()
    try:
        for web in site.production.webs:
            before = len(answers)
            assert web.stop() == 0
            web.start()
            assert len(answers) > before
    finally:
        done.set()
        asking.join()

    assert set(answers) == {200}


def keep_asking(site: Site, done: threading.Event, answers: list[int]) -> None:
    with site.client(site.alice) as client:
        while not done.is_set():
            answers.append(client.get("/accounts/sign-in/").status_code)
            answers.append(client.get(site.picture["url"]).status_code)


def test_sockets_of_a_stopping_web_reconnect_elsewhere(site: Site) -> None:
    stopping = site.production.webs[0]
    with ExitStack() as opened:
        # nginx spreads them over both webs
        sockets = [opened.enter_context(site.socket(site.alice)) for _each in range(4)]
        assert [first_of(socket) for socket in sockets] == ["hello"] * 4
        stopping.stop()
        try:
            endings = [ending_of(socket) for socket in sockets]
            again = [opened.enter_context(site.socket(site.alice)) for _each in range(4)]
            hellos = [first_of(socket) for socket in again]
        finally:
            stopping.start()

    assert sorted(endings) == [0, 0, 4503, 4503]
    assert hellos == ["hello"] * 4
