"""Reads the text-to-image models that the server serves from three of its lists.

Values are bounded: a count, name or address beyond its limit is cut or ignored and logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from accounts.log_format import log_line
from generation.choices import Route
from generation.error_codes import ErrorCode
from generation.exceptions import XinferenceFailed
from generation.limits import MAX_MODEL_NAME
from generation.outages import LogRateLimit

logger = logging.getLogger(__name__)

ABILITY = "text2image"
LOADING = frozenset({"CREATING", "LOADING", "UPDATING"})

MAX_LISTED_MODELS = 64
"""Text-to-image models of one server; each costs a request at every probe."""

MAX_REPLICAS = 64
"""Replicas of one model; each has a slot, which is a row."""

MAX_ADDRESS = 100
"""Characters of a replica's address; it is `host:port`."""

RESERVED_NAMES = frozenset({".", ".."})
"""Names that would change the path of a URL, even percent-encoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """A listed text-to-image model; `card` is None if only the list of instances has it."""

    name: str
    instance: dict[str, Any]
    card: dict[str, Any] | None

    @property
    def ready(self) -> bool:
        return is_ready(self.instance)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """The current state of one model."""

    name: str
    route: Route
    ready: bool
    loading: bool
    replicas: int
    """Ready replicas, each of which draws one image at a time; for a model that is not ready the
    number that it was launched with."""
    identity: str
    """Addresses of its processes; a new value means that one of them was replaced."""
    error_code: ErrorCode | None = None
    """Why a model that is listed as ready cannot be used."""
    error_detail: str = ""


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


def image_models(instances: Iterable[dict[str, Any]], *, first: str) -> dict[str, dict[str, Any]]:
    """Text-to-image instances by name: the first of each name, at most MAX_LISTED_MODELS.

    The model `first` is among them if it is listed.
    """
    found: dict[str, dict[str, Any]] = {}
    for instance in filter(generates_images, instances):
        name = name_of(instance.get("model_uid"))
        if name is None:
            warn_hourly(log_line("model_left_out", cause="its name cannot be used here"))
        else:
            found.setdefault(name, instance)
    names = sorted(found, key=lambda name: (name != first, name))
    if len(names) > MAX_LISTED_MODELS:
        warn_hourly(log_line("models_left_out", served=len(names), most=MAX_LISTED_MODELS))
    return {name: found[name] for name in sorted(names[:MAX_LISTED_MODELS])}


def generates_images(record: dict[str, Any]) -> bool:
    abilities = record.get("model_ability")
    return isinstance(abilities, list) and ABILITY in abilities


def name_of(value: Any) -> str | None:
    """The name of a model, or None if it cannot be stored, logged or put into a URL."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_MODEL_NAME:
        return None
    return value if value.isprintable() and value not in RESERVED_NAMES else None


def is_ready(instance: dict[str, Any]) -> bool:
    """Whether a replica works: with one of two gone the status of the whole is ERROR."""
    status = instance.get("status")
    named = isinstance(instance.get("replica_statuses"), list) and instance["replica_statuses"]
    works = status == "READY" or (status == "ERROR" and bool(named))
    return works and bool(ready_replicas(instance))


def is_loading(instance: dict[str, Any]) -> bool:
    status = instance.get("status")
    return isinstance(status, str) and status in LOADING


def ready_replicas(instance: dict[str, Any]) -> int:
    """The number of ready replicas; old servers give only the number of all replicas."""
    statuses = instance.get("replica_statuses")
    if not statuses or not isinstance(statuses, list):
        return launched_replicas(instance)
    ready = sum(isinstance(each, dict) and each.get("status") == "READY" for each in statuses)
    return capped_count(ready, instance)


def launched_replicas(instance: dict[str, Any]) -> int:
    count = instance.get("replica")
    if isinstance(count, bool) or not isinstance(count, int) or count <= 0:
        return 1
    return capped_count(count, instance)


def capped_count(count: int, instance: dict[str, Any]) -> int:
    if count > MAX_REPLICAS:
        name = name_of(instance.get("model_uid"))
        warn_hourly(log_line("replicas_left_out", model=name, most=MAX_REPLICAS))
    return min(count, MAX_REPLICAS)


def route_of(card: dict[str, Any]) -> Route:
    """txt2img for the diffusers engine, which can abort there; other engines have one route."""
    engine = card.get("model_engine")
    diffusers = isinstance(engine, str) and engine.lower() == "diffusers"
    return Route.TXT2IMG if diffusers else Route.GENERATIONS


def identity_of(card: dict[str, Any], replicas: list[dict[str, Any]]) -> str:
    """The addresses of the replicas, or of the model if the server gives none.

    Raises XinferenceFailed for an invalid address, because addresses identify processes.
    """
    named = [each.get("model_address") for each in replicas]
    addresses = sorted({address_of(each) for each in named if each})
    if not addresses and card.get("address"):
        addresses = [address_of(card["address"])]
    return ",".join(addresses[:MAX_REPLICAS])


def address_of(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_ADDRESS:
        raise XinferenceFailed("an address of a replica was expected")
    if "," in value or not value.isprintable():
        raise XinferenceFailed("an address of a replica was expected")
    return value


rate_limits: dict[str, LogRateLimit] = {}


def warn_hourly(line: str) -> None:
    """Log a problem of the lists, which every probe meets: one line per kind and hour."""
    if rate_limits.setdefault(line.split()[0], LogRateLimit(burst=1, seconds=3_600)).allows():
        logger.warning("%s", line)
