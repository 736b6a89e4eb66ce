"""Errors at Sentry: the stack and the ids, and nothing that a user wrote.

The tests import Sentry where they use it: it logs in its own way if it is imported before ours.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.log_context import logging_with
from accounts.log_format import log_line
from liujuan_site.environment import InvalidSettings
from liujuan_site.error_reports import sentry_handler
from tests.collector import Collector, collecting
from tests.settings import SettingsOf

PROMPT = "a garden that only the owner knows"
COOKIE = "sessionid=abcdef0123456789"
SECRET = "the-key-of-the-model-server"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def logger(collector: Collector) -> Iterator[logging.Logger]:
    """A logger whose errors are sent."""
    address = collector.url.replace("http://", "http://public@") + "/1"
    logger = logging.Logger("generation.tests")
    logger.addHandler(sentry_handler(address, "0.0.test", (SECRET,)))
    yield logger
    import sentry_sdk

    sentry_sdk.get_client().close()
    # with its integrations it would add headers to the requests of later tests
    sentry_sdk.init(default_integrations=False, auto_enabling_integrations=False)


def events(collector: Collector) -> list[dict[str, Any]]:
    """Every event, once all are sent."""
    import sentry_sdk

    sentry_sdk.flush(10)
    found = []
    for path, body in collector.bodies:
        assert path == "/api/1/envelope/"
        _head, *items = body.decode().splitlines()
        heads = [json.loads(each) for each in items[::2]]
        found += [
            json.loads(item)
            for head, item in zip(heads, items[1::2], strict=True)
            if head["type"] == "event"
        ]
    return found


def fail(prompt: str) -> None:
    headers = {"Authorization": f"Bearer {SECRET}", "Cookie": COOKIE}
    raise ValueError(f"cannot use {prompt!r} with {len(headers)} headers: out of memory")


def test_an_error_is_sent_without_what_users_wrote(
    logger: logging.Logger, collector: Collector
) -> None:
    with logging_with(task="7f", attempt=2, request="r-1"):
        try:
            fail(PROMPT)
        except ValueError:
            logger.exception("%s", log_line("attempt_unexpected", cause=SECRET))

    (event,) = events(collector)
    (exception,) = event["exception"]["values"]
    assert event["logentry"]["message"] == "attempt_unexpected cause=…"
    assert event["tags"] == {"task": "7f", "attempt": "2", "request": "r-1"}
    assert exception["type"] == "ValueError"
    assert exception["value"].startswith("out of memory; ")
    assert exception["stacktrace"]["frames"][-1]["function"] == "fail"
    for words in ("garden", SECRET, COOKIE, '"vars"'):
        assert words not in json.dumps(event)


def test_warnings_are_not_sent(logger: logging.Logger, collector: Collector) -> None:
    logger.warning("%s", log_line("task_failed", task="7f"))

    assert events(collector) == []


def test_errors_alone_go_to_sentry(settings_of: SettingsOf) -> None:
    given = settings_of(SENTRY_DSN="https://public@sentry.example/1")["LOGGING"]

    assert given["root"]["handlers"] == ["stderr", "sentry"]
    assert given["handlers"]["sentry"]["level"] == "ERROR"
    assert "sentry" not in settings_of()["LOGGING"]["handlers"]


@pytest.mark.parametrize(
    ("setting", "value", "module"),
    [
        ("SENTRY_DSN", "https://public@sentry.example/1", "sentry_sdk"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "opentelemetry.sdk.trace"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "opentelemetry.exporter"),
    ],
)
def test_a_missing_package_is_named_at_the_start(
    settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, module: str
) -> None:
    for name in [each for each in sys.modules if each.startswith(f"{module}.")]:
        monkeypatch.delitem(sys.modules, name)
    # as Python marks a module that cannot be imported
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(InvalidSettings, match=f"{setting} is set, and its packages are not") as why:
        settings_of(**{setting: value})
    assert "-r requirements-observability.txt" in str(why.value)
