"""The description of a webhook in a request: shape and types. Services check the values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.protocol.client_messages import NAME, text

FIELDS = ("url", "events", "secret")
CHANGES = ("url", "events", "enabled")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """`events`: those that are sent besides the ones that end a task. `secret`: None = make one."""

    url: str
    events: tuple[str, ...] = ()
    secret: str | None = field(default=None, repr=False)


def read_webhook(body: Any) -> WebhookRequest:
    """Raises InvalidInput(code, field)."""
    if not isinstance(body, Mapping):
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "webhook")
    refuse_others(body, FIELDS)
    if body.get("url") is None:
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "url")
    secret = body.get("secret")
    return WebhookRequest(
        url=text("url", body["url"]),
        events=read_events(body.get("events")),
        secret=None if secret is None else text("secret", secret),
    )


def read_webhook_changes(body: Mapping[str, Any]) -> dict[str, Any]:
    """`url`, `events` and `enabled`, if they are given; raises InvalidInput."""
    refuse_others(body, CHANGES)
    changes: dict[str, Any] = {}
    if body.get("url") is not None:
        changes["url"] = text("url", body["url"])
    if "events" in body:
        changes["types"] = read_events(body["events"])
    if body.get("enabled") is not None:
        if not isinstance(body["enabled"], bool):
            raise InvalidInput(ErrorCode.BAD_MESSAGE, "enabled")
        changes["enabled"] = body["enabled"]
    return changes


def refuse_others(body: Mapping[str, Any], fields: Collection[str]) -> None:
    for name in body:
        if name not in fields:
            raise InvalidInput(ErrorCode.UNKNOWN_FIELD, name if NAME.fullmatch(name) else None)


def read_events(value: Any) -> tuple[str, ...]:
    """A list of names; null counts as an empty one."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise InvalidInput(ErrorCode.WEBHOOK_EVENTS_INVALID, "events")
    return tuple(text("events", each) for each in value)
