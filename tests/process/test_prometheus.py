"""An installation of two webs and two workers that die: Prometheus alarms, and so does the studio.

`make test-monitoring` runs these: the second one waits for minutes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.production import Production
from tests.prometheus import Prometheus, needs_prometheus
from tests.studio import free_port, wait_until

pytestmark = [pytest.mark.monitoring, needs_prometheus]
COMPLETED = 'sum(liujuan_tasks_ended_total{status="completed"})'
BOTH_WORKERS = 'liujuan_workers{state="running"} == 2'
LONG = 180.0
"""Seconds: an alarm about workers needs 85, its all-clear 80."""


class AlertReceiver(BaseHTTPRequestHandler):
    """Keeps the messages to ALERT_URL."""

    messages: list[dict[str, Any]] = []  # noqa: RUF012  of all requests

    def do_POST(self) -> None:
        self.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def alert_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), AlertReceiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/alerts"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def ports() -> list[int]:
    """Of the metrics of each worker."""
    return [free_port(), free_port()]


@pytest.fixture
def whole(site: Production) -> Iterator[Production]:
    """The site, with all its processes again afterwards."""
    yield site
    for program in site.programs:
        if not program.alive:
            program.start()


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, ports: list[int], alert_url: str
) -> Iterator[Production]:
    folder = tmp_path_factory.mktemp("site")
    site = Production(folder, webs=2, workers=2, ALERT_URL=alert_url, ALERT_FREE_SPACE="0")
    for worker, port in zip(site.workers, ports, strict=True):
        worker.env = {**worker.env, "METRICS_PORT": str(port)}
    try:
        yield site.start()
    finally:
        site.stop()


def test_a_killed_worker_alarms_until_it_is_back(whole: Production, ports: list[int]) -> None:
    webs = [f"127.0.0.1:{web.port}" for web in whole.webs]
    workers = [f"127.0.0.1:{port}" for port in ports]
    targets = {"liujuan-web": webs, "liujuan-worker": workers}
    with (
        Prometheus(whole.folder / "prometheus", targets) as prometheus,
        whole.connect(whole.user("alice")) as watcher,
    ):
        wait_until(
            lambda: prometheus.values("up == 1").keys() == {*webs, *workers},
            what="all four are scraped",
        )
        watcher.generate(size="256x256")
        watcher.until_type("result")
        wait_until(
            lambda: prometheus.values(COMPLETED) == {"": 1},
            what="one of the workers has counted the task",
        )
        wait_until(
            lambda: prometheus.values(BOTH_WORKERS).keys() == set(webs),
            what="both webs say that two workers live",
        )
        delivered = prometheus.values("liujuan_event_delivery_seconds_count > 0")
        assert set(delivered) == {webs[0]}, "only the web of the page delivers"
        prometheus.wait_for()

        whole.workers[1].kill()
        prometheus.wait_for(("LiujuanWorkerDown", workers[1]))
        whole.workers[1].start()

        prometheus.wait_for()


def test_webs_report_once_that_no_worker_lives_and_once_that_one_is_back(whole: Production) -> None:
    messages = AlertReceiver.messages
    for worker in whole.workers:
        worker.kill()
    wait_until(lambda: messages, what="the alarm", seconds=LONG)
    # a web that starts meanwhile knows of it
    whole.webs[0].stop()
    whole.webs[0].start()
    whole.workers[0].start()
    wait_until(lambda: len(messages) > 1, what="the all-clear", seconds=LONG)

    found = [(each["type"], each["data"]["kind"]) for each in messages]
    assert found == [("alert.opened", "no_worker"), ("alert.closed", "no_worker")]
    sent = "select channel, is_clear, tries, due_at from generation_incidentnotice order by id"
    wait_until(
        lambda: whole.query(sent) == [("webhook", False, 1, None), ("webhook", True, 1, None)],
        what="both messages are recorded as sent",
    )
