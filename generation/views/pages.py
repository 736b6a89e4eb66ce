"""The studio page and the task page."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generation import limits, selectors, services
from generation.choices import UNFINISHED, TaskStatus
from generation.clock import clock
from generation.exceptions import InvalidInput, NotFound
from generation.protocol import PROTOCOL_VERSION
from generation.selectors import Card
from generation.views.card_steps import BLANK_STEPS
from generation.views.card_view import card_view
from generation.views.composer_limits import composer_limits
from generation.views.composer_wait import ComposerWait, composer_wait
from generation.views.compression import compressed
from generation.views.embedded_tasks import embedded, without_prompts
from generation.views.error_pages import rate_limited
from generation.views.event_log import shown_log
from generation.views.timeline import timeline_context

SOCKET_PATH = "/ws/generate"

FIRST_PAINT = 6
"""Cards in the HTML, more than a screen shows. Scripts render the others from the page's state."""

FIRST_PICTURES = 8
"""Recent pictures in the HTML; scripts render the others."""

FIRST_PROMPT = "LiuJuan"
FILTERS = {**selectors.ENDED, "all": frozenset(TaskStatus), "active": UNFINISHED}
"""{filter of the task list: statuses that it shows}."""

LONG_QUEUE = 3
"""Queued cards shown in the list; a longer queue is folded into one row."""


@require_safe
@login_required
@never_cache
@compressed
@rate_limited
def studio(request: HttpRequest) -> HttpResponse:
    """The studio page; with `from`, a picture's key, the composer has that picture's settings."""
    return render(request, "studio/studio.html", studio_context(request))


def studio_context(request: HttpRequest, most: int = FIRST_PAINT) -> dict[str, Any]:
    """Context of the studio page, with at most `most` cards in the HTML."""
    # read before the rows: a change in between then raises a later revision
    collection, now = selectors.revision_of(cast("User", request.user).pk), clock.now()
    cards = selectors.recent_cards(cast("User", request.user), now=now)
    context = page(request, [in_list(card) for card in cards], now)
    context |= first_paint(context["cards"], filter_of(request), most)
    state = context["studio_state"]
    state["tasks"] = without_prompts(state["tasks"], {card["id"] for card in context["shown"]})
    known = [uuid.UUID(card["id"]) for card in cards]
    counts, others = selectors.task_counts(cast("User", request.user), known)
    context["counts"] = {"all": sum(counts.values()), **counts}
    context["has_further"] = others["completed"] + others["stopped"] > 0
    state |= {"collection": collection, "others": others} | origin(request)
    context["demo"] = services.uses_demo_model()
    context["wait"] = default_wait(state)
    shown = selectors.shown_limits(cast("User", request.user).pk, now=now)
    context["allowance"] = composer_limits(shown, state["defaults"])
    return context


def default_wait(state: dict[str, Any]) -> ComposerWait | None:
    """Expected wait for the composer's initial model; None if no model is served."""
    models = [each for each in state["models"] if each["name"] == state["defaults"]["model"]]
    return composer_wait(models[0], state["defaults"]) if models else None


def filter_of(request: HttpRequest) -> str:
    """The filter in the URL, or "all"; scripts keep it in the URL."""
    chosen = request.GET.get("show", "")
    return chosen if chosen in FILTERS else "all"


def socket_path() -> str:
    """Path of the WebSocket, with the path of PUBLIC_URL."""
    return f"{settings.BASE_PATH}{SOCKET_PATH}"


def live_data(request: HttpRequest) -> dict[str, Any]:
    """Context of pages without cards that listen to other windows.

    Read before the rows: a change in between then raises a later revision.
    """
    user = cast("User", request.user)
    return {"socket_path": socket_path(), "collection": selectors.revision_of(user.pk)}


def in_list(card: Card) -> Card:
    """The card without step times if the task is finished: only the task page shows them."""
    if card["state"]["ended_at"] is None:
        return card
    return {**card, "state": {**card["state"], "timeline": []}}


def first_paint(cards: list[dict[str, Any]], chosen: str, most: int) -> dict[str, Any]:
    """Context for the cards, at most `most`, and pictures in the HTML.

    `chosen`: a filter. `queue_before`: id of the card that follows the folded queue.
    """
    queued = [card for card in cards if card["state"]["status"] == TaskStatus.QUEUED]
    is_folded = len(queued) > LONG_QUEUE
    fitting = [card for card in cards if card["state"]["status"] in FILTERS[chosen]]
    shown = [card for card in fitting if not (is_folded and card in queued)][:most]
    behind = [card for card in shown if card["state"]["status"] != TaskStatus.RUNNING]
    pictures = [
        (card, image)
        for card in cards
        for image in card["state"]["images"]
        if "withheld" not in image
    ]
    return {
        "filter": chosen,
        "queued": len(queued),
        "is_folded": is_folded,
        "next_prompt": queued[0]["task"]["prompt"] if queued else "",
        "shown": shown,
        "queue_before": behind[0]["id"] if behind else None,
        "pictures": pictures[:FIRST_PICTURES],
    }


@require_safe
@login_required
@never_cache
@compressed
@rate_limited
def task(request: HttpRequest, task_id: uuid.UUID) -> HttpResponse:
    collection, now = selectors.revision_of(cast("User", request.user).pk), clock.now()
    found = selectors.visible_task(task_id, request.user)
    detail = selectors.task_detail(found, now=now)
    context = page(request, [detail.card], now) | timeline_context(request, found, detail)
    context["studio_state"]["collection"] = collection
    context |= {
        "demo": any(image.get("demo") for image in detail.card["state"]["images"]),
        "log": shown_log(request, found, detail.log),
        "parent": selectors.parent_of(found, request.user),
        "children": selectors.children_of(found, request.user),
    }
    return render(request, "studio/task.html", context)


def origin(request: HttpRequest) -> dict[str, Any]:
    """{"from": the picture to vary}; empty without `from` or if the user does not get it."""
    try:
        keys = [selectors.read_key(request.GET["from"])]
        (image,) = selectors.pictures_of_keys(cast("User", request.user), keys)
    except (KeyError, InvalidInput, NotFound):
        return {}
    if image.withheld:
        return {}
    task = image.task
    picture = {"seed": image.seed, "thumbnail": image.data["thumbnail_url"]}
    return {"from": {"task": str(task.pk), "data": task.data, **picture}}


def page(request: HttpRequest, cards: list[Card], now: datetime) -> dict[str, Any]:
    """Context of every page with cards: the cards to render, and the state for the scripts."""
    user = cast("User", request.user)
    models = selectors.model_offers(user.pk, now=now)
    return {
        "limits": limits,
        "cards": [to_paint(card, now) for card in cards],
        "blank_steps": BLANK_STEPS,
        "has_withheld": any(
            "withheld" in each for card in cards for each in card["state"]["images"]
        ),
        "studio_state": {
            "protocol": PROTOCOL_VERSION,
            "socket_path": socket_path(),
            "username": request.user.get_username(),
            "limits": {"lines": limits.MAX_LINES, "named": limits.MAX_NAMED},
            "tasks": [embedded(card) for card in cards],
            "queue": {card["id"]: card["queue"] for card in cards if card["queue"]},
            "defaults": defaults(user, {model["name"] for model in models}),
            "models": models,
            "server_time": now.timestamp(),
        },
    }


def to_paint(card: Card, now: datetime) -> dict[str, Any]:
    """A card for templates; `view` is called only for cards that are rendered."""
    view = partial(card_view, card["task"], card["state"], card["queue"], now=now.timestamp())
    return {**card, "view": view, "task_url": reverse("task", args=[card["id"]])}


def defaults(user: User, served: Collection[str]) -> dict[str, Any]:
    """Initial values of the composer: those of the user's last task, the model if still served.

    Users who have never sent a task get an example prompt.
    """
    last = selectors.last_settings(user)
    known = bool(last) or selectors.any_task(user)
    if last.get("model") not in served:
        last.pop("model", None)
    return {"prompt": "" if known else FIRST_PROMPT, **services.defaults(), **last}
