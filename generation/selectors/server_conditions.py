"""The state of each model server, as operators see it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from generation.choices import ServerCondition
from generation.models import ModelInstance, ModelServer, ModelSlot

MOST_SERVERS = 50
"""Rows of the list."""

MEMORY_AGE = timedelta(seconds=90)
"""Three reports of a worker: older figures are not shown."""

WORDS = {
    ServerCondition.DRAINED: "draining",
    ServerCondition.UNCHECKED: "no worker has asked it yet",
    ServerCondition.READY: "ok",
}
"""For `/readyz`, which is not translated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    server: ModelServer
    condition: ServerCondition
    models: list[ModelInstance]
    used: int
    """Slots that are held."""
    slots: int
    knows_memory: bool
    """Whether the server published its memory within MEMORY_AGE."""

    @property
    def other_calls(self) -> int | None:
        """Calls of other programs on its ready models; None if they are not known."""
        known = [each.other_calls for each in self.models if each.ready]
        counts = [count for count in known if count is not None]
        return sum(counts) if counts else None

    @property
    def calls(self) -> list[str]:
        """`ok` or `failed`, the newest call last."""
        return ["failed" if each == "x" else "ok" for each in self.server.recent_calls]

    @property
    def calls_text(self) -> str:
        failed = self.calls.count("failed")
        return _("%(failed)s of the last %(all)s calls failed") % {
            "failed": failed,
            "all": len(self.calls),
        }


def server_statuses(now: datetime) -> list[ServerStatus]:
    """The servers by name; none if the demo model is the only one."""
    servers = list(ModelServer.objects.order_by("name")[:MOST_SERVERS])
    if all(server.is_demo for server in servers):
        return []
    models = list(ModelInstance.objects.filter(server__in=servers).order_by("model"))
    held = ModelSlot.objects.filter(task__isnull=False, instance__server__in=servers)
    used = Counter(held.values_list("instance__server", flat=True))
    return [
        ServerStatus(
            server=server,
            condition=server_condition(server),
            models=[each for each in models if each.server_id == server.pk],
            used=used[server.pk],
            slots=sum(each.slots for each in models if each.server_id == server.pk),
            knows_memory=knows_memory(server, now),
        )
        for server in servers
    ]


def knows_memory(server: ModelServer, now: datetime) -> bool:
    at = server.memory_at
    return server.memory is not None and at is not None and now - at < MEMORY_AGE


def server_states(now: datetime) -> dict[str, str]:
    """Name of each enabled server → `ok`, `draining`, until when it rests, or what is wrong."""
    servers = ModelServer.objects.filter(enabled=True).order_by("name")
    return {server.name: state_of_server(server, now) for server in servers}


def state_of_server(server: ModelServer, now: datetime) -> str:
    condition = server_condition(server)
    if condition == ServerCondition.RESTING and server.rested_until is not None:
        seconds = max(0, round((server.rested_until - now).total_seconds()))
        return f"its calls failed, it rests for {seconds} s"
    if condition == ServerCondition.UNUSABLE:
        return server.error_detail or server.error_code
    return WORDS[condition]


def server_condition(server: ModelServer) -> ServerCondition:
    if not server.enabled:
        return ServerCondition.DISABLED
    if server.draining:
        return ServerCondition.DRAINED
    if server.error_code:
        return ServerCondition.UNUSABLE
    if server.rested_until is not None:
        return ServerCondition.RESTING
    if server.checked_at is None:
        return ServerCondition.UNCHECKED
    return ServerCondition.READY
