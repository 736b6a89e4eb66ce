"""Failures that repeat: one line when they begin and one, with a count, when they are over.

The logging settings use this module: nothing here may need them.
"""

from __future__ import annotations

import logging
from time import monotonic

from django.db import InterfaceError, InternalError, OperationalError

from accounts.log_escaping import log_line

MAX_CAUSES = 5
"""Different causes that one outage writes where the cause may change meanwhile."""


class LogRateLimit:
    """Lets some lines through as they come, and then one a while."""

    def __init__(self, *, burst: int = 6, seconds: float = 60.0) -> None:
        self.burst = burst
        self.seconds = seconds
        self.left = float(burst)
        self.asked = monotonic()

    def allows(self) -> bool:
        """Whether a line may be written now; then it counts as written."""
        now = monotonic()
        self.left = min(float(self.burst), self.left + (now - self.asked) / self.seconds)
        self.asked = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Outage:
    """Something that fails again and again until it is back; two log lines in all.

    `name_down cause=…` when it begins, `name_back failures=… seconds=…` when it is over.
    Safe to use from any thread: a line too many is the worst that can happen.
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
        """`values` stand in each line; up to `causes` different ones have a line of their own.

        `pace` limits the lines of what begins and ends again and again.
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
        told = bool(self.causes)
        self.failures, self.causes = 0, set()
        if not told:
            return
        line = log_line(f"{self.name}_back", **self.values, failures=failures, seconds=seconds)
        self.logger.info("%s", line)


class DatabaseOutage(Outage):
    """Callers report what they meet; only an error of the server itself begins an outage."""

    AWAY = (OperationalError, InterfaceError, InternalError)
    """PostgreSQL's internal errors are those of a read-only or recovering server."""

    def is_outage(self, error: BaseException) -> bool:
        """Whether `error` says that the database is away; then it is counted."""
        if not isinstance(error, self.AWAY):
            return False
        self.failed(error)
        return True


def cause_of(error: object) -> str:
    """One line for an error: its class, and the first line of what it says."""
    if not isinstance(error, BaseException):
        return str(error)
    # the model server's words are not for the log as they are
    says = str(getattr(error, "for_log", error)).strip().partition("\n")[0]
    return f"{type(error).__name__}: {says}" if says else type(error).__name__


database = DatabaseOutage(logging.getLogger("generation.database"), "database")
"""This process's view of the database; every caller that meets it away reports here."""

layer = Outage(logging.getLogger("generation.layer"), "layer")
"""This process's view of the channel layer."""
