"""Log records are single bounded lines without secrets."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from logging.config import DictConfigurator
from math import inf, nan
from typing import Any

import pytest
import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings

from accounts.log_context import correlation_id, logging_with
from accounts.log_format import log_line
from generation.outages import Outage, database, layer
from liujuan_site import log_filters
from liujuan_site.log_config import log_config
from liujuan_site.log_filters import MAX_MESSAGE, MAX_TRACEBACK, SafeFormatter, secrets_of

FORGED = "2026-01-01 00:00:00,000 INFO liujuan.security sign_in_ok account=root"


class Log:
    """A logger whose handler is the one of the settings, with a text in the place of stderr."""

    def __init__(
        self, name: str, secrets: tuple[str, ...] = (), *, log_format: str = "text"
    ) -> None:
        configured: Any = DictConfigurator(log_config((), log_format=log_format))
        line = dict(configured.config["formatters"]["line"])
        formatter = configured.configure_formatter({**line, "secrets": secrets})
        self.stream = io.StringIO()
        handler = logging.StreamHandler(self.stream)
        handler.setFormatter(formatter)
        handler.addFilter(log_filters.RepeatFilter())
        self.logger = logging.Logger(name)
        self.logger.addHandler(handler)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@pytest.fixture
def log() -> Log:
    return Log("generation.tests")


@pytest.mark.parametrize(
    "words",
    [
        *(f"bad\n{FORGED}", f"bad\r{FORGED}", f"bad\r\n{FORGED}"),
        *("\x1b]0;title\x07\x1b[2J\x1b[31mred", "\x9b31mred\x85next", "a\x00b\x08c\x7fd"),
        *("line\u2028and\u2029paragraph", "\u202egpj.exe\u2066\u200b\ufeff\u061c"),
        *("half \ud83d a character", "hidden \U000e0041\U000e0042"),
    ],
)
@pytest.mark.parametrize("place", ["message", "argument", "exception", "note", "cause"])
def test_no_value_forges_a_line_or_colours_a_terminal(log: Log, words: str, place: str) -> None:
    if place == "message":
        log.logger.warning(words)
    elif place == "argument":
        log.logger.warning("it says %s", words)
    else:
        try:
            raise_with(words, place)
        except RuntimeError:
            log.logger.exception("it failed")

    log.text.encode()
    first, *others = log.text.rstrip("\n").split("\n")
    assert first.split()[2:4] in (["WARNING", "generation.tests"], ["ERROR", "generation.tests"])
    assert all(line.startswith("    ") for line in others)
    assert all(character.isprintable() for line in [first, *others] for character in line)
    assert bool(others) == (place in ("exception", "note", "cause"))


def raise_with(words: str, place: str) -> None:
    if place == "exception":
        raise RuntimeError(words)
    error = RuntimeError("plain")
    if place == "note":
        error.add_note(words)
        raise error
    raise error from ValueError(words)


def test_a_traceback_of_ours_stays_readable(log: Log) -> None:
    try:
        raise_with("one\ntwo", "exception")
    except RuntimeError:
        log.logger.exception("it failed")

    assert "    raise RuntimeError(words)" in log.text
    assert "    Traceback (most recent call last):" in log.lines
    assert log.lines[-1] == r"    RuntimeError: one\ntwo"


@pytest.mark.parametrize(
    ("text", "logged"),
    [
        ("http://user:pass-word@host:9997/v1", "http://…@host:9997/v1"),
        ("postgres://u:p%40ss@[::1]/db gone", "postgres://…@[::1]/db gone"),
        ("redis://:secret@host", "redis://…@host"),
        ("http://token@host/", "http://…@host/"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer …"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic …"),
        ("key xf-0123456789abcdef is odd", "key … is odd"),
        ("the-model-key was sent", "… was sent"),
        ("p/w&d?x and p%2Fw%26d%3Fx", "… and …"),
        ("http://host:9997/v1/models", "http://host:9997/v1/models"),
        (
            "null value\nDETAIL:  Failing row contains (1, a prompt, 2).",
            r"null value\nDETAIL:  Failing row contains (…)",
        ),
    ],
)
def test_keys_and_passwords_never_reach_the_log(text: str, logged: str) -> None:
    log = Log("generation.tests", secrets_of("the-model-key", "http://u:p%2Fw%26d%3Fx@host", "ab"))

    log.logger.error("it says: %s", text)
    try:
        raise RuntimeError(text)
    except RuntimeError:
        log.logger.exception("again")

    assert log.lines[0].endswith(f"it says: {logged}")
    assert log.lines[-1] == f"    RuntimeError: {logged}"


def test_a_password_among_the_options_of_a_url_is_known_too() -> None:
    found = secrets_of(
        "redis://h?password=one%2Fone", "postgres:///d?user=u&password=two-two&sslpassword=three-3"
    )

    assert {"one/one", "two-two", "three-3"} <= set(found)


def test_every_secret_of_the_settings_is_known_to_the_formatter() -> None:
    logging_settings: Any = settings.LOGGING
    formatter = logging_settings["formatters"]["line"]

    assert settings.SECRET_KEY in formatter["secrets"]


def test_a_json_line_has_its_values_as_fields() -> None:
    log = Log("generation.tests", secrets_of("the-model-key"), log_format="json")
    values = {"task": "7f", "attempt": 2, "worker": None, "seconds": 1.23456, "time": "late"}

    with logging_with(task="other", request="r-1"):
        log.logger.warning("%s", log_line("task_failed", cause="the-model-key\n\x1b[31m", **values))
        log.logger.error("database %s", "down")

    first, second = [json.loads(line) for line in log.lines]
    assert datetime.fromisoformat(first.pop("time")).utcoffset() == timedelta(0)
    assert first == {
        "level": "WARNING",
        "logger": "generation.tests",
        "event": "task_failed",
        "message": str(log_line("task_failed", cause="the-model-key\n\x1b[31m", **values)).replace(
            "the-model-key", "…"
        ),
        "task": "7f",
        "attempt": 2,
        "worker": None,
        "seconds": 1.235,
        "request": "r-1",
        "cause": "…\\n\\x1b[31m",
    }
    expected = {"level": "ERROR", "message": "database down", "task": "other", "request": "r-1"}
    assert second.items() >= expected.items()
    assert "event" not in second


def test_a_json_line_has_null_for_numbers_that_json_has_not() -> None:
    log = Log("generation.tests", log_format="json")

    log.logger.info("%s", log_line("measured", a=nan, b=inf, c=-inf, d=0.5))

    fields = json.loads(log.lines[0], parse_constant=pytest.fail)
    assert [fields[name] for name in "abcd"] == [None, None, None, 0.5]


@pytest.mark.parametrize("words", [f"bad\n{FORGED}", "half \ud83d a character", "\u2028\u202e"])
def test_an_exception_is_a_part_of_its_json_line(words: str) -> None:
    log = Log("generation.tests", log_format="json")
    try:
        raise_with(words, "cause")
    except RuntimeError:
        log.logger.exception("it failed")

    (line,) = log.lines
    assert line.isprintable()
    assert "Traceback" in json.loads(line)["exception"]


def test_values_of_the_context_are_added_to_a_text_line(log: Log) -> None:
    with logging_with(task="7f", request="r-1", worker=None):
        log.logger.info("%s", log_line("task_completed", task="7f"))

    assert log.lines[0].endswith(
        "INFO generation.tests task_completed task=7f request=r-1 worker=-"
    )


async def test_each_task_and_its_threads_have_their_own_values() -> None:
    together = asyncio.Barrier(2)

    async def serve(request: str) -> list[str]:
        with logging_with(request=request):
            await together.wait()
            in_threads = (
                await sync_to_async(correlation_id)(),
                await asyncio.to_thread(correlation_id),
            )
            later = await asyncio.create_task(sync_to_async(correlation_id)())
            return [correlation_id(), *in_threads, later]

    first, second = await asyncio.gather(serve("r-1"), serve("r-2"))

    assert (set(first), set(second)) == ({"r-1"}, {"r-2"})
    assert correlation_id() == ""


def test_a_line_has_an_end(log: Log) -> None:
    log.logger.error("x" * 1_000_000)
    try:
        raise RuntimeError("\n" * 1_000_000)
    except RuntimeError:
        log.logger.exception("it failed")

    first, _second, *others = log.lines
    assert len(first) < MAX_MESSAGE + 200
    assert len("\n".join(others)) < MAX_TRACEBACK + 200


def test_a_record_whose_arguments_do_not_fit_is_still_written(log: Log) -> None:
    log.logger.warning("%d pictures of %s", "three")

    assert "three" in log.lines[0]


def test_no_handler_but_ours_writes() -> None:
    """Handlers of Django, and those that a library adds at first use, skip our formatter."""
    redis.asyncio.Redis().pubsub()
    names = [None, *logging.root.manager.loggerDict]
    handlers = [h for name in names for h in logging.getLogger(name).handlers]

    ours = [h for h in handlers if isinstance(h.formatter, SafeFormatter)]
    assert ours
    assert [h for h in handlers if type(h) is logging.StreamHandler and h not in ours] == []


def test_a_library_that_repeats_itself_is_counted() -> None:
    log = Log("some.library")
    for number in range(40):
        log.logger.warning("try %s of connection 0x%x failed", number, number)
    log.logger.error("another thing")

    assert [line.split(" ", 4)[4] for line in log.lines] == [
        "try 0 of connection 0x0 failed",
        "another thing",
    ]


def test_omitted_lines_are_counted_in_the_next_one() -> None:
    repeats = log_filters.RepeatFilter(seconds=0.05)
    passed: list[str] = []
    while len(passed) < 2:
        line = record("some.library", "a try failed")
        passed += [line.getMessage()] if repeats.filter(line) else []
    first, second = passed

    assert first == "a try failed"
    assert re.fullmatch(r"a try failed \(repeated \d+ times\)", second)


def test_our_own_lines_are_never_left_out(log: Log) -> None:
    for _again in range(3):
        log.logger.warning(log_line("sign_in_refused", account="alice"))

    assert len(log.lines) == 3


def test_what_fails_again_and_again_is_two_lines(log: Log) -> None:
    outage = Outage(log.logger, "model", model="a b")

    outage.worked()
    for number in range(30):
        outage.failed(OSError(f"refused {number}\nsecond line"))
    outage.worked()
    outage.worked()
    outage.failed("again")

    events = [line.split(" ", 4)[4] for line in log.lines]
    assert events == [
        'model_down model="a b" cause="OSError: refused 0"',
        'model_back model="a b" failures=30 seconds=0.0',
        'model_down model="a b" cause=again',
    ]


@pytest.fixture
def outages() -> Iterator[list[Outage]]:
    """The outages of this process, over before and after."""
    mine: list[Outage] = [database, layer]
    for outage in mine:
        outage.worked()
    yield mine
    for outage in mine:
        outage.worked()


def record(name: str, message: str, error: BaseException | None = None) -> logging.LogRecord:
    exc_info: Any = (type(error), error, None) if error else None
    return logging.LogRecord(name, logging.WARNING, __file__, 1, message, None, exc_info)


def test_driver_errors_are_outages(outages: list[Outage], caplog: pytest.LogCaptureFixture) -> None:
    pool = [
        "error connecting in 'pool-1': connection failed: refused\n\tIs the server running?",
        "reconnection attempt in pool 'pool-1' failed after 3.1 sec",
        "discarding closed connection: <psycopg.Connection [BAD]>",
    ]
    assert not any(log_filters.report_database(record("psycopg.pool", text)) for text in pool * 10)
    assert log_filters.report_database(record("psycopg.pool", "rolling back returned connection"))
    for _again in range(10):
        assert not log_filters.report_layer(
            record("channels_redis.pubsub", "Unexpected", OSError("x"))
        )

    assert [line.getMessage() for line in caplog.records] == [
        "database_down cause=\"error connecting in 'pool-1': connection failed: refused\"",
        'layer_down cause="OSError: x"',
    ]
    assert [outage.failures for outage in outages] == [10, 10]


def test_a_cancel_is_no_outage(outages: list[Outage], caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise asyncio.CancelledError
    except asyncio.CancelledError:
        logged = log_filters.report_layer(record("channels_redis.pubsub", "x", sys.exc_info()[1]))

    assert (logged, caplog.records, outages[1].ongoing) == (False, [], False)
