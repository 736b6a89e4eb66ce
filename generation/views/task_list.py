"""JSON for the task list: cards that were not in its page."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST, require_safe

from generation import selectors
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.limits import MAX_NAMED
from generation.selectors import Card
from generation.views.json_api import json_body, json_view, task_ids_of, texts_in
from generation.views.pages import in_list


@require_safe
@json_view
def cards(request: HttpRequest) -> JsonResponse:
    """Cards of the tasks `task`; or those older than the task `before`, with filter `show`."""
    owner, now = cast("User", request.user), clock.now()
    named = request.GET.getlist("task")
    if named:
        found = selectors.named_cards(owner, task_ids_of(named[:MAX_NAMED]), now=now)
        return JsonResponse({"tasks": card_data(found)})
    group, last = request.GET.get("show", "all"), request.GET.get("before")
    if group not in selectors.ENDED:
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "show")
    before = task_ids_of([last]).pop() if last else None
    found, more = selectors.older_cards(owner, before=before, group=group, now=now)
    return JsonResponse({"tasks": card_data(found), "more": more})


@require_POST
@json_view
def collection(request: HttpRequest) -> JsonResponse:
    """For a page that missed changes: which of its `tasks` to keep, and counts of the others."""
    shown = selectors.readable_keys(texts_in(json_body(request), "tasks"))
    return JsonResponse(selectors.collection_state(cast("User", request.user), shown))


def card_data(found: list[Card]) -> list[dict[str, object]]:
    return [{"task": card["task"], "state": in_list(card)["state"]} for card in found]
