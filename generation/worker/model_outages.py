"""Logs which models became unusable and which became usable again."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from django.conf import settings

from accounts.log_format import log_line
from generation import services
from generation.outages import MAX_CAUSES, LogRateLimit

logger = logging.getLogger(__name__)

MAX_KNOWN = 200
"""Models remembered after the server stopped naming them; a server may rename its models."""

MAX_NAMED = 3
"""Models named in one log line; the line also has the count of all."""


@dataclass(slots=True)
class ModelOutage:
    """A model that was logged as unusable."""

    began: float = field(default_factory=monotonic)
    failures: int = 1
    causes: set[str] = field(default_factory=set)


class ModelOutages:
    """Those of one server: at most two lines per probe, and fewer while it flaps.

    A change for which the pace allowed no line is logged later, unless it was reverted.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self.known: set[str] = set()
        self.down: dict[str, ModelOutage] = {}
        self.pace = LogRateLimit()

    @property
    def expected(self) -> set[str]:
        """Models that it must serve: further servers need not have the default model."""
        is_default = self.server == services.DEFAULT_SERVER
        return {settings.XINFERENCE_MODEL} if is_default else set()

    def update(self, served: Mapping[str, str]) -> None:
        """`served`: for each listed model why it cannot be used, or an empty string."""
        known = self.expected | self.known
        causes = {**dict.fromkeys(known, services.NOT_SERVED), **served}
        if len(causes) > MAX_KNOWN:
            causes = {**dict.fromkeys(self.expected, services.NOT_SERVED), **served}
        self.known = set(causes)
        self.down = {name: down for name, down in self.down.items() if name in causes}
        for name, down in self.down.items():
            down.failures += bool(causes[name])
        began = [name for name, cause in sorted(causes.items()) if self.is_new(name, cause)]
        ended = sorted(name for name in self.down if not causes[name])
        if (began or ended) and self.pace.allows():
            self.write_began(began, causes)
            self.write_ended(ended)

    def is_new(self, name: str, cause: str) -> bool:
        if not cause or name not in self.down:
            return bool(cause)
        logged = self.down[name].causes
        return cause not in logged and len(logged) < MAX_CAUSES

    def write_began(self, names: Sequence[str], causes: Mapping[str, str]) -> None:
        """Write one line with the cause of the first model."""
        for name in names:
            self.down.setdefault(name, ModelOutage()).causes.add(causes[name])
        if names:
            cause = causes[names[0]]
            line = log_line(
                "model_down",
                model=first_names(names),
                server=self.server,
                count=len(names),
                cause=cause,
            )
            logger.warning("%s", line)

    def write_ended(self, names: Sequence[str]) -> None:
        """Write one line with the failures and the duration of the longest outage."""
        if not names:
            return
        ended = [self.down.pop(name) for name in names]
        first = min(ended, key=lambda down: down.began)
        line = log_line(
            "model_back",
            model=first_names(names),
            server=self.server,
            count=len(names),
            failures=first.failures,
            seconds=monotonic() - first.began,
        )
        logger.info("%s", line)


def first_names(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_NAMED])
