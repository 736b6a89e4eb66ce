"""Debian's Prometheus scrapes two webs and two workers; a killed worker alarms until it is back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.production import Production
from tests.prometheus import Prometheus, needs_prometheus
from tests.studio import free_port, wait_until

pytestmark = [pytest.mark.monitoring, needs_prometheus]
COMPLETED = 'sum(liujuan_tasks_ended_total{status="completed"})'


@pytest.fixture(scope="module")
def ports() -> list[int]:
    """Of the metrics of each worker."""
    return [free_port(), free_port()]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, ports: list[int]) -> Iterator[Production]:
    site = Production(tmp_path_factory.mktemp("site"), webs=2, workers=2)
    for worker, port in zip(site.workers, ports, strict=True):
        worker.env = {**worker.env, "METRICS_PORT": str(port)}
    try:
        yield site.start()
    finally:
        site.stop()


def test_a_killed_worker_alarms_until_it_is_back(site: Production, ports: list[int]) -> None:
    webs = [f"127.0.0.1:{web.port}" for web in site.webs]
    workers = [f"127.0.0.1:{port}" for port in ports]
    targets = {"liujuan-web": webs, "liujuan-worker": workers}
    with (
        Prometheus(site.folder / "prometheus", targets) as prometheus,
        site.connect(site.user("alice")) as watcher,
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
        # both webs read the same rows
        assert set(prometheus.values('liujuan_workers{state="running"} == 2')) == set(webs)
        delivered = prometheus.values("liujuan_event_delivery_seconds_count > 0")
        assert set(delivered) == {webs[0]}, "only the web of the page delivers"
        prometheus.wait_for()

        site.workers[1].kill()
        prometheus.wait_for(("LiujuanWorkerDown", workers[1]))
        site.workers[1].start()

        prometheus.wait_for()
