"""Models as workers last saw them, and why their tasks wait."""

from __future__ import annotations

from typing import TypedDict

from django.conf import settings
from django.db.models import Exists, OuterRef

from generation.choices import QueueReason
from generation.error_codes import ErrorCode
from generation.models import GenerationTask, ModelServer, ModelState


class ModelRow(TypedDict):
    name: str
    ready: bool
    replicas: int
    reason: str


def queue_reason(state: ModelState | None, *, workers: int, paused: bool = False) -> QueueReason:
    """Why the tasks of a model do not begin; IN_LINE if only other tasks are before them."""
    if not workers:
        return QueueReason.PAUSED if paused else QueueReason.NO_WORKER
    if state is None:
        return QueueReason.MODEL_DOWN
    if state.paused:
        return QueueReason.PAUSED
    if state.ready:
        return QueueReason.IN_LINE
    if state.error_code == ErrorCode.KEY_REFUSED:
        return QueueReason.KEY_REFUSED
    return QueueReason.MODEL_LOADING if state.loading else QueueReason.MODEL_DOWN


def known_models() -> dict[str, ModelState | None]:
    """Models that accept tasks, the default one first, as workers last saw them."""
    seen = {state.name: state for state in ModelState.objects.order_by("name")}
    return {name: seen.get(name) for name in dict.fromkeys([settings.XINFERENCE_MODEL, *seen])}


def model_errors() -> dict[str, str]:
    """Model → why it cannot be used, or empty."""
    return {name: error_of(state) for name, state in known_models().items()}


def error_of(state: ModelState | None) -> str:
    if state is None:
        return "no worker has seen it yet"
    if state.ready:
        return ""
    return state.error_detail or ("it is loading" if state.loading else "it is not ready")


def is_waiting_for_servers() -> bool:
    """Whether a task waits for a model that no server has ready."""
    waiting = GenerationTask.objects.claimable().filter(model=OuterRef("name"))
    return ModelState.objects.filter(Exists(waiting), ready=False, paused=False).exists()


def key_refused() -> bool:
    """Whether a server refuses our key."""
    servers = ModelServer.objects.filter(enabled=True, error_code=ErrorCode.KEY_REFUSED)
    return servers.exists()


def refused_keys() -> tuple[bool, bool]:
    """(whether a server refuses our key, whether every server does)."""
    enabled = ModelServer.objects.filter(enabled=True).order_by()
    codes = set(enabled.values_list("error_code", flat=True).distinct())
    return ErrorCode.KEY_REFUSED in codes, codes == {ErrorCode.KEY_REFUSED}


def model_row(name: str, state: ModelState | None, *, workers: int, paused: bool) -> ModelRow:
    return {
        "name": name,
        "ready": state is not None and state.ready and not state.paused and workers > 0,
        "replicas": state.replicas if state else 0,
        "reason": queue_reason(state, workers=workers, paused=paused).value,
    }
