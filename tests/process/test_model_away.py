"""The model server restarts, loses its painter, or refuses our key."""

from __future__ import annotations

import http.cookiejar
import os
import signal
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

from generation.choices import QueueReason
from tests.contract.demo_process import children_of, is_painter
from tests.demo_faults import SLOW, SOME_SECONDS
from tests.process.follower import Follower
from tests.process.recording_proxy import RecordingProxy
from tests.production import Production
from tests.programs import RunWorker
from tests.studio import wait_until

GOOD_KEY = "sk-the-right-one"
SITE: dict[str, Any] = {
    "faults": [SLOW],
    "model_options": ("--api-key", GOOD_KEY),
    "XINFERENCE_API_KEY": GOOD_KEY,
    "GENERATION_LEASE": "12",
    "GENERATION_GRACE": "1",
    "GENERATION_STALL": "30",
}

BAN_AFTER = 10
PASSWORD = "for tests on this machine only"

WATCHED = 15.0
"""Seconds; each worker looks at the model server every five."""


def test_a_model_server_restart_costs_one_attempt(whole: Production, person: str) -> None:
    with Follower(whole, person) as follower:
        task_id = follower.generate(**SOME_SECONDS)
        follower.until(task_id, "progressed")

        whole.model.stop()
        follower.until(task_id, "interrupted")
        wait_until(
            lambda: follower.queue_reason(task_id) == "model_down", what="the page says model_down"
        )
        wait_until(lambda: whole.webs[0].readyz()["models"] == "down", what="/readyz says down")
        asked = follower.generate("asked while it is away", size="256x256")
        wait_until(
            lambda: follower.queue_reason(asked) == "model_down", what="a new task shows it as well"
        )
        claims = follower.kinds(task_id).count("claimed"), follower.kinds(asked).count("claimed")
        whole.model.start()

        last = follower.until_over(task_id)
        assert follower.until_over(asked)["attempt"] == 1
    assert claims == (1, 0)
    assert (last["kind"], last["attempt"]) == ("completed", 2)
    assert follower.interruptions(task_id) == [
        {"reason": "model_lost", "counted": True, "stored": 0}
    ]
    assert follower.codes == []


def test_a_painter_that_is_killed_costs_one_attempt(whole: Production, person: str) -> None:
    assert whole.model.process is not None
    with Follower(whole, person) as follower:
        task_id = follower.generate(**SOME_SECONDS)
        follower.until(task_id, "progressed")

        (painter,) = filter(is_painter, children_of(whole.model.process.pid))
        os.kill(painter, signal.SIGKILL)

        last = follower.until_over(task_id)
    assert (last["kind"], last["attempt"]) == ("completed", 2)
    assert follower.interruptions(task_id) == [
        {"reason": "model_lost", "counted": True, "stored": 0}
    ]


@pytest.fixture
def bad_key() -> str:
    """A new one: workers remember which keys were refused."""
    return f"sk-{uuid.uuid4().hex}"


@pytest.fixture
def line(site: Production) -> Iterator[RecordingProxy]:
    line = RecordingProxy(site.model.port)
    yield line
    line.stop()


@pytest.fixture
def strangers(whole: Production, line: RecordingProxy, bad_key: str) -> Iterator[list[RunWorker]]:
    """Three workers with a wrong key, in the place of the site's own."""
    env = {**whole.env, "XINFERENCE_API_KEY": bad_key, "XINFERENCE_URL": line.url}
    strangers = [RunWorker(f"stranger-{number}", whole.folder, env) for number in range(3)]
    whole.workers[0].stop()
    for worker in strangers:
        worker.launch()
    yield strangers
    for worker in strangers:
        # not killed: while one may live that calls elsewhere, the site's own is refused
        if worker.alive:
            worker.stop()
    if not whole.workers[0].alive:
        whole.workers[0].start()


def test_a_wrong_key_is_shown_and_logged_and_never_banned(
    whole: Production, person: str, strangers: list[RunWorker], line: RecordingProxy, bad_key: str
) -> None:
    wait_until(lambda: key_is_refused(whole), what="the row says that the key is bad")
    with Follower(whole, person) as follower:
        task_id = follower.generate(size="256x256")
        wait_until(
            lambda: follower.queue_reason(task_id) == "key_refused",
            what="the page says key_refused",
        )
        time.sleep(WATCHED)

        assert all(worker.alive for worker in strangers)
        assert 0 < line.count(bad_key) < BAN_AFTER
        assert answers_a_good_key(whole)
        assert key_is_refused(whole)
        with translation.override("zh-hans"):
            assert str(QueueReason.KEY_REFUSED.label) in list_of_models(whole)
        said = [worker.output() for worker in strangers]
        assert max(text.lower().count("refused our key") for text in said) == 1
        assert bad_key not in "".join(said)
        for worker in strangers:
            worker.stop()
        whole.workers[0].start()

        last = follower.until_over(task_id)
    assert (last["kind"], last["attempt"]) == ("completed", 1)
    assert not key_is_refused(whole)


def key_is_refused(site: Production) -> bool:
    """As the workers wrote it down; `/readyz` tells staff alone."""
    rows = "select count(*) from generation_modelstate where error_code = 'key_refused'"
    return site.query(rows) != [(0,)]


def answers_a_good_key(site: Production) -> bool:
    request = urllib.request.Request(
        f"{site.model.url}/v1/models", headers={"Authorization": f"Bearer {GOOD_KEY}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bool(answer.status == 200)


def list_of_models(site: Production) -> str:
    """The page of the admin, as a superuser sees it."""
    code = "from django.contrib.auth.models import User; User.objects.create_superuser"
    site.manage("shell", "--no-imports", "-c", f"{code}('root', password={PASSWORD!r})")
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = f"{site.webs[0].url}/admin/generation/modelstate/"
    browser.open(page, timeout=10).close()
    (csrf,) = [cookie.value for cookie in jar if cookie.name.startswith("csrftoken")]
    form = {"login": "root", "password": PASSWORD, "csrfmiddlewaretoken": csrf or ""}
    body = urllib.parse.urlencode({**form, "next": "/admin/generation/modelstate/"}).encode()
    with browser.open(f"{site.webs[0].url}/accounts/sign-in/", body, timeout=10) as answer:
        html: str = answer.read().decode()
    return html
