"""What users see of a model: the sum of its instances on all servers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from generation.error_codes import ErrorCode
from generation.models import ModelInstance, ModelServer, ModelState

NOT_SERVED = "the model server does not serve this model: launch it, or correct XINFERENCE_MODEL"
"""Message for the operator, in the log and in the row."""

MAX_SUM = 32_767
"""The largest number of a column for small numbers."""


def sum_models(*, now: datetime) -> None:
    """Write the rows of all models again; the model of the settings always has one.

    The rows are locked in the order of their names before their instances are read: of two
    transactions that changed instances, the second one to come here sees the changes of both.
    """
    with transaction.atomic():
        states = {
            state.name: state for state in ModelState.objects.select_for_update().order_by("name")
        }
        servers = list(ModelServer.objects.order_by("name"))
        instances: defaultdict[str, list[ModelInstance]] = defaultdict(list)
        for each in ModelInstance.objects.select_related("server").order_by("server__name"):
            instances[each.model].append(each)
        for name in sorted({settings.XINFERENCE_MODEL, *states, *instances}):
            state = states.get(name)
            if state is None:
                state, _created = ModelState.objects.get_or_create(
                    name=name, defaults={"checked_at": now}
                )
            write_sum(state, instances[name], servers, now)


def write_sum(
    state: ModelState,
    instances: Sequence[ModelInstance],
    servers: Sequence[ModelServer],
    now: datetime,
) -> None:
    open_for_calls = [each for each in instances if each.server.takes_calls]
    used = usable(open_for_calls) or open_for_calls
    state.ready = any(each.ready for each in open_for_calls)
    state.loading = not state.ready and any(each.loading for each in open_for_calls)
    state.replicas = min(MAX_SUM, sum(each.replicas for each in used))
    state.slots = min(MAX_SUM, sum(each.slots for each in used))
    if used:
        state.route = used[0].route
        state.demo = used[0].server.is_demo
    state.checked_at = max((each.checked_at for each in instances), default=now)
    state.seen_at = max((each.seen_at for each in instances if each.seen_at), default=state.seen_at)
    state.error_code, state.error_detail = ("", "") if state.ready else error_of(instances, servers)
    state.save()


def usable(instances: Sequence[ModelInstance]) -> list[ModelInstance]:
    """The ready ones of servers that do not rest; of resting ones if there are no others."""
    ready = [each for each in instances if each.ready]
    return [each for each in ready if each.server.rested_until is None] or ready


def error_of(instances: Sequence[ModelInstance], servers: Sequence[ModelServer]) -> tuple[str, str]:
    """Code and detail of why no server serves a model.

    That a server does not list it counts only if nothing else is wrong.
    """
    known = {each.server_id for each in instances}
    found = [
        (each.server.name, each.error_code, each.error_detail)
        for each in instances
        if each.server.enabled and each.error_code
    ]
    found += [
        (server.name, server.error_code, server.error_detail)
        for server in servers
        if server.enabled and server.error_code and server.pk not in known
    ]
    found = [each for each in found if each[1] != ErrorCode.MODEL_NOT_FOUND] or found
    if not found:
        is_known = any(each.server.takes_calls for each in instances)
        return ("", "") if is_known else (ErrorCode.MODEL_NOT_FOUND, NOT_SERVED)
    if len(found) == 1:
        return found[0][1:]
    return found[0][1], "; ".join(f"{name}: {detail}" for name, _code, detail in found)
