"""Repeated failures as two log lines: one at the start, one with a count at the end.

The logging settings import this module, so nothing here may read settings.
"""

from __future__ import annotations

import logging
from time import monotonic

from django.db import InterfaceError, InternalError, OperationalError

from accounts.log_format import log_line
from generation import process_metrics

MAX_CAUSES = 5
"""Different causes that one outage logs."""


class LogRateLimit:
    """Allows `burst` lines at once, then one per `seconds`."""

    def __init__(self, *, burst: int = 6, seconds: float = 60.0) -> None:
        self.burst = burst
        self.seconds = seconds
        self.left = float(burst)
        self.updated = monotonic()

    def allows(self) -> bool:
        """Whether a line may be written now; counts it."""
        now = monotonic()
        self.left = min(float(self.burst), self.left + (now - self.updated) / self.seconds)
        self.updated = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Outage:
    """Repeated failure of one service.

    Logs `name_down cause=…` at the start and `name_back failures=… seconds=…` at the end. May be
    used from any thread; at worst a line is written twice.
    """

    def __init__(
        self,
        logger: logging.Logger,
        name: str,
        *,
        causes: int = 1,
        pace: LogRateLimit | None = None,
        **values: object,
    ) -> None:
        """`values` are in each line; up to `causes` different causes are logged.

        `pace` limits the lines of a service that fails and returns often.
        """
        self.logger = logger
        self.name = name
        self.values = values
        self.most_causes = causes
        self.causes: set[str] = set()
        self.failures = 0
        self.began = 0.0
        self.pace = pace

    @property
    def ongoing(self) -> bool:
        return self.failures > 0

    def failed(self, cause: object) -> None:
        process_metrics.ERRORS.labels(self.name).inc()
        text = cause_of(cause)
        if not self.failures:
            self.began = monotonic()
        self.failures += 1
        if text in self.causes or len(self.causes) >= self.most_causes:
            return
        if self.pace is not None and not self.pace.allows():
            return
        self.causes.add(text)
        self.logger.warning("%s", log_line(f"{self.name}_down", **self.values, cause=text))

    def worked(self) -> None:
        if not self.failures:
            return
        failures, seconds = self.failures, monotonic() - self.began
        logged = bool(self.causes)
        self.failures, self.causes = 0, set()
        if not logged:
            return
        line = log_line(f"{self.name}_back", **self.values, failures=failures, seconds=seconds)
        self.logger.info("%s", line)


class DatabaseOutage(Outage):
    """Outage of the database; only errors of the server itself count."""

    AWAY = (OperationalError, InterfaceError, InternalError)
    """PostgreSQL raises InternalError when it is read-only or recovering."""

    def is_outage(self, error: BaseException) -> bool:
        """Whether `error` means that the database is down; counts it if so."""
        if not isinstance(error, self.AWAY):
            return False
        self.failed(error)
        return True


def cause_of(error: object) -> str:
    """One line for an error: its class and the first line of its message."""
    if not isinstance(error, BaseException):
        return str(error)
    # messages of the model server may quote prompts
    message = str(getattr(error, "for_log", error)).strip().partition("\n")[0]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


database = DatabaseOutage(logging.getLogger("generation.database"), "database")
"""The database as this process sees it; all callers report failures here."""

layer = Outage(logging.getLogger("generation.layer"), "layer")
"""The channel layer as this process sees it."""
