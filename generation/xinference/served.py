"""Which text-to-image models the server serves, read from three of its lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from generation.choices import Route
from generation.exceptions import XinferenceFailed

ABILITY = "text2image"
LOADING = frozenset({"CREATING", "LOADING", "UPDATING"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """One model as the server tells it now."""

    name: str
    route: Route
    ready: bool
    loading: bool
    replicas: int
    """Ready replicas, each of which draws one picture at a time; of a model that is not ready:
    as many as it was launched with."""
    identity: str
    """Addresses of its processes: another value means that one of them was replaced."""


def records_of(parsed: Any) -> list[dict[str, Any]]:
    """The list of objects in `parsed`, bare or under `data`; raises XinferenceFailed."""
    found = parsed.get("data") if isinstance(parsed, dict) else parsed
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise XinferenceFailed("a list of models was expected")
    return found


def record_of(parsed: Any) -> dict[str, Any]:
    if not isinstance(parsed, dict):
        raise XinferenceFailed("a description of a model was expected")
    return parsed


def draws(record: dict[str, Any]) -> bool:
    abilities = record.get("model_ability")
    return isinstance(abilities, list) and ABILITY in abilities


def name_of(instance: dict[str, Any]) -> str:
    return str(instance.get("model_uid"))


def is_ready(instance: dict[str, Any]) -> bool:
    return instance.get("status") == "READY" and bool(ready_replicas(instance))


def is_loading(instance: dict[str, Any]) -> bool:
    return instance.get("status") in LOADING


def ready_replicas(instance: dict[str, Any]) -> int:
    """Replicas that can draw; servers too old to tell them apart only tell their number."""
    statuses = instance.get("replica_statuses")
    if not statuses:
        return launched_replicas(instance)
    return sum(each.get("status") == "READY" for each in statuses)


def launched_replicas(instance: dict[str, Any]) -> int:
    count = instance.get("replica")
    return count if isinstance(count, int) and count > 0 else 1


def route_of(description: dict[str, Any]) -> Route:
    """The diffusers engine can stop within a step on its own route; others have only one."""
    engine = str(description.get("model_engine")).lower()
    return Route.TXT2IMG if engine == "diffusers" else Route.GENERATIONS


def identity_of(description: dict[str, Any], replicas: list[dict[str, Any]]) -> str:
    """Addresses of the replicas; where the server tells none, the address of the model."""
    addresses = {str(each["model_address"]) for each in replicas if each.get("model_address")}
    if not addresses and description.get("address"):
        addresses = {str(description["address"])}
    return ",".join(sorted(addresses))
