"""Values that every log line of a request, a socket or an attempt carries.

They are kept in a context variable: asyncio tasks and threads of asgiref take them over from the
code that starts them. The logging settings import this module, so nothing here may read settings.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar

_values: ContextVar[Mapping[str, object]] = ContextVar("log_values")


def log_values() -> Mapping[str, object]:
    """Names and values, such as those of the request that is being served; empty outside."""
    return _values.get({})


@contextmanager
def logging_with(**values: object) -> Iterator[None]:
    """Add these values to the log lines of the block."""
    before = _values.set({**log_values(), **values})
    try:
        yield
    finally:
        _values.reset(before)


def new_context() -> Context:
    """A context that has only the log values of this one."""
    context = Context()
    context.run(_values.set, log_values())
    return context


def new_correlation_id() -> str:
    return uuid.uuid4().hex


def correlation_id() -> str:
    """The id of the request, socket or submission whose work this is; empty outside of any."""
    return str(log_values().get("request") or "")
