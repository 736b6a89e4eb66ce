"""`/metrics`: access, and what it says; the documents name exactly its series."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from generation import process_metrics, selectors, services
from generation.alarms.alarm_conditions import read_conditions
from generation.choices import InterruptReason
from generation.metrics_access import may_read_metrics
from generation.models import ModelState, Worker
from liujuan_site import metrics
from tests.documents import tables
from tests.factories import (
    claim_one,
    complete,
    fail,
    finished_task,
    interrupt,
    refuse_key,
    settle,
    submit,
)
from tests.query_plans import analyze, plan_of, queries
from tests.rows import copy_task
from tests.studio import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "a-key-of-this-test-0123456789"
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
LIBRARY = ("python_", "process_")
"""Families of prometheus-client itself."""

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def forget_readings() -> None:
    """Nothing that an earlier scrape read is used again."""
    for check in (metrics.totals_check, metrics.space_check):
        check.answered = float("-inf")


def families() -> list[Metric]:
    response = Client().get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    return list(text_string_to_metric_families(response.text))


def scrape() -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families()
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"liujuan_{name}", tuple(sorted(labels.items()))))


def documented() -> dict[str, tuple[str, set[str]]]:
    """Name → type and labels, from the table of docs/operations.md."""
    return {
        name: (cells[0], set(re.findall(r"`(\w+)`", cells[1])))
        for name, cells in tables(OPERATIONS)["metric"].items()
    }


def test_the_documents_name_every_series_with_its_type_and_labels(
    alice: User, worker: Worker, model: str, now: datetime
) -> None:
    """Both directions: nothing is scraped that has no row, and no row is of nothing."""
    submit(alice, now)
    complete(claim_one(worker, now), now)

    found = {
        f"{family.name}_total" if family.type == "counter" else family.name: family
        for family in families()
        if not family.name.startswith(LIBRARY)
    }

    assert {name: family.type for name, family in found.items()} == {
        name: kind for name, (kind, _labels) in documented().items()
    }
    for name, family in found.items():
        labels = {each for sample in family.samples for each in sample.labels} - {"le"}
        assert not family.samples or labels == documented()[name][1], name


def test_unfinished_tasks_workers_and_models_are_those_of_the_rows(
    alice: User, worker: Worker, model: str, now: datetime
) -> None:
    finished_task(alice, now - timedelta(hours=1))
    submit(alice, now - timedelta(seconds=90))
    submit(alice, now - timedelta(seconds=30))
    claim_one(worker, now)

    samples = scrape()

    assert value(samples, "tasks", status="queued", model=model) == 1
    assert value(samples, "tasks", status="running", model=model) == 1
    assert value(samples, "tasks", status="completed", model=model) is None
    assert 30 <= (value(samples, "oldest_wait_seconds", model=model) or 0) < 90
    assert value(samples, "workers", state="running") == 1
    assert value(samples, "workers", state="draining") == 0
    assert value(samples, "model_ready", model=model) == 1
    assert value(samples, "model_slots", model=model) == 1
    assert value(samples, "model_slots_held", model=model) == 1
    assert value(samples, "key_refused") == 0
    assert value(samples, "rows_readable") == 1
    assert (value(samples, "media_free_bytes") or 0) > 0


def test_ends_and_interruptions_are_counted_once_they_are_committed(
    alice: User, worker: Worker, model: str, now: datetime
) -> None:
    before = scrape()
    for _number in range(3):
        submit(alice, now)
    complete(claim_one(worker, now), now)
    failed = claim_one(worker, now)
    fail(failed, now)
    settle(failed, now)
    interrupt(claim_one(worker, now), InterruptReason.MODEL_LOST, now)
    after = scrape()

    def grew(name: str, **labels: str) -> float:
        return (value(after, name, **labels) or 0) - (value(before, name, **labels) or 0)

    assert grew("tasks_ended_total", status="completed", code="", model=model) == 1
    assert grew("tasks_ended_total", status="failed", code="request_refused", model=model) == 1
    assert grew("task_wait_seconds_count", model=model) == 2
    assert grew("attempts_interrupted_total", reason="model_lost") == 1


def test_a_refused_key_and_a_dead_worker_are_seen(
    worker: Worker, model: str, now: datetime
) -> None:
    refuse_key(now)
    services.retire_worker(worker_id=worker.pk, now=now)

    samples = scrape()

    assert value(samples, "key_refused") == 1
    assert value(samples, "model_ready", model=model) == 0
    assert value(samples, "workers", state="running") == 0


def test_models_beyond_a_number_share_one_label() -> None:
    names = {process_metrics.model_label(f"model {number}") for number in range(200)}

    assert process_metrics.OTHER_MODELS in names
    assert len(names) <= process_metrics.MAX_MODEL_LABELS + 1
    assert len(process_metrics._models) == process_metrics.MAX_MODEL_LABELS


@pytest.fixture(autouse=True)
def forget_models() -> Iterator[None]:
    known = set(process_metrics._models)
    yield
    process_metrics._models.clear()
    process_metrics._models.update(known)


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"prometheus:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("settings", "peer", "headers", "allowed"),
    [
        ({}, "127.0.0.1", {}, True),
        ({}, "::1", {}, True),
        ({}, "::ffff:127.0.0.1", {}, True),
        ({}, "192.0.2.7", {}, False),
        ({}, "", {}, False),
        # a proxy on this machine speaks for others
        ({}, "127.0.0.1", {"x-forwarded-for": "192.0.2.7"}, False),
        ({}, "127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, False),
        ({}, "127.0.0.1", {"forwarded": "for=192.0.2.7"}, False),
        ({"TRUSTED_PROXIES": 1}, "127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, False),
        ({"METRICS_NETWORKS": ["192.0.2.0/24"]}, "192.0.2.7", {}, True),
        ({"METRICS_NETWORKS": ["192.0.2.0/24"]}, "127.0.0.1", {}, False),
        ({"METRICS_NETWORKS": ["192.0.2.0/24"]}, "::ffff:192.0.2.7", {}, True),
        (
            {"METRICS_NETWORKS": ["192.0.2.0/24"]},
            "198.51.100.1",
            {"x-forwarded-for": "192.0.2.7"},
            False,
        ),
        (
            {"METRICS_NETWORKS": ["192.0.2.0/24"], "TRUSTED_PROXIES": 1},
            "198.51.100.1",
            {"x-forwarded-for": "203.0.113.1, 192.0.2.7"},
            True,
        ),
        (
            {"METRICS_NETWORKS": ["192.0.2.0/24"], "TRUSTED_PROXIES": 1},
            "198.51.100.1",
            {"x-forwarded-for": "192.0.2.7, 203.0.113.1"},
            False,
        ),
        ({}, "127.0.0.1", {"host": "127.0.0.1:8000"}, True),
        ({}, "::1", {"host": "[::1]:8000"}, True),
        ({}, "127.0.0.1", {"host": "localhost"}, True),
        ({}, "127.0.0.1", {"host": "studio.example.org"}, False),
        ({}, "127.0.0.1", {"host": "localhost.example.org:80"}, False),
        ({"METRICS_KEY": KEY}, "127.0.0.1", {}, False),
        ({"METRICS_KEY": KEY}, "198.51.100.1", {"authorization": f"Bearer {KEY}"}, True),
        ({"METRICS_KEY": KEY}, "198.51.100.1", {"authorization": basic(KEY)}, True),
        ({"METRICS_KEY": KEY}, "198.51.100.1", {"authorization": f"Bearer {KEY}x"}, False),
        ({"METRICS_KEY": KEY}, "198.51.100.1", {"authorization": basic("")}, False),
        ({"METRICS_KEY": KEY}, "198.51.100.1", {"authorization": "Basic %"}, False),
        ({"METRICS_KEY": KEY}, "198.51.100.1", {"authorization": f"Digest {KEY}"}, False),
        ({"METRICS_KEY": KEY}, "198.51.100.1", {"authorization": "Bearer é"}, False),
        ({}, "198.51.100.1", {"authorization": "Bearer "}, False),
        (
            {"METRICS_KEY": KEY, "METRICS_NETWORKS": ["127.0.0.0/8"]},
            "127.0.0.1",
            {},
            True,
        ),
    ],
)
def test_only_named_networks_and_the_key_open_it(
    settings: dict[str, Any], peer: str, headers: dict[str, str], allowed: bool
) -> None:
    closed: dict[str, Any] = {"METRICS_KEY": "", "METRICS_NETWORKS": []}
    proxies = settings.get("TRUSTED_PROXIES", 0)
    with override_settings(**closed | settings):
        assert may_read_metrics(headers, peer, proxies=proxies) is allowed


def test_others_get_the_response_of_an_address_that_does_not_exist() -> None:
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")

    refused, unknown = elsewhere.get("/metrics"), elsewhere.get("/nothing-here")

    assert (refused.status_code, unknown.status_code) == (404, 404)
    assert "liujuan_" not in refused.text


def test_no_name_of_a_user_and_no_prompt_is_in_it(
    alice: User, worker: Worker, model: str, now: datetime
) -> None:
    submit(alice, now, prompt="a secret garden")
    fail(claim_one(worker, now), now, detail="a secret garden")

    text = Client().get("/metrics").text

    assert "garden" not in text
    assert "alice" not in text


HISTORY = 3_000


def test_a_scrape_reads_no_finished_tasks(
    alice: User, worker: Worker, model: str, now: datetime
) -> None:
    copy_task(finished_task(alice, now - timedelta(hours=1), pictures=1), HISTORY)
    submit(alice, now)
    analyze("generation_generationtask")

    with queries() as sent:
        totals = selectors.installation_totals(now)
        ended = selectors.ended_since(now - timedelta(minutes=15), models=[model])

    assert totals.models[model].queued == 1
    assert ended == {}
    assert len(sent) <= 10
    for statement in sent:
        plan = plan_of(statement, many_rows=True)
        # an index may be scanned only between bounds
        assert "Seq Scan on generation_generationtask" not in plan
        assert not re.search(r"SCAN generation_generationtask\b", plan), plan


def test_what_waits_for_reviewers_is_counted_up_to_a_bound(
    alice: User, worker: Worker, now: datetime
) -> None:
    finished_task(alice, now, pictures=2)

    assert value(scrape(), "review_backlog", kind="unreviewed") == 2
    assert value(scrape(), "review_backlog", kind="appeals") == 0


def test_a_model_that_an_operator_has_paused_is_no_alarm(
    alice: User, worker: Worker, model: str, now: datetime
) -> None:
    submit(alice, now - timedelta(hours=2))
    ModelState.objects.update(paused=True, ready=False)

    totals = selectors.installation_totals(now)

    assert totals.oldest_wait == 0
    assert totals.wait_of(model) == 7_200
    assert value(scrape(), "model_paused", model=model) == 1
    assert [alarm.kind for alarm in read_conditions(2**40, totals).alarms()] == []
