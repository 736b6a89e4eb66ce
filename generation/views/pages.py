"""Pages: authenticate, ask one selector, render."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generation import selectors, services
from generation.exceptions import NotFound
from generation.protocol import PROTOCOL_VERSION
from generation.selectors import Card, clock

SOCKET_PATH = "/ws/generate"


@require_safe
@login_required
@never_cache
def studio(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    cards = selectors.recent_cards(cast("User", request.user), now=now)
    return render(request, "studio/studio.html", page(request, cards, now))


@require_safe
@login_required
@never_cache
def task(request: HttpRequest, task_id: uuid.UUID) -> HttpResponse:
    now = clock.now()
    try:
        found = selectors.visible_task(task_id, request.user)
    except NotFound as error:
        raise Http404 from error
    context = page(request, [selectors.card_of(found, now=now)], now)
    context |= {"task": found, "card": context["cards"][0], "events": event_lines(found)}
    return render(request, "studio/task.html", context)


def page(request: HttpRequest, cards: list[Card], now: datetime) -> dict[str, Any]:
    """What every page with cards needs: the cards to draw, and their state to go on from."""
    demo = not settings.XINFERENCE_URL
    return {
        "demo": demo,
        "cards": [{**card, "task_url": reverse("task", args=[card["id"]])} for card in cards],
        "studio_state": {
            "protocol": PROTOCOL_VERSION,
            "socket_path": SOCKET_PATH,
            "username": request.user.get_username(),
            "demo": demo,
            "tasks": [{"task": card["task"], "state": card["state"]} for card in cards],
            "queue": {card["id"]: card["queue"] for card in cards if card["queue"]},
            "defaults": {"prompt": "LiuJuan", **services.defaults()},
            "models": selectors.model_rows(now=now),
            "server_time": now.timestamp(),
        },
    }


def event_lines(found: Any) -> list[dict[str, Any]]:
    return [
        {
            "seq": event.seq,
            "kind": event.kind,
            "kind_label": event.get_kind_display(),
            "step_label": event.get_step_display(),
            "progress": event.progress,
            "attempt": event.attempt,
            "timestamp": event.created_at,
            "sentence": "",
            "details": event.details,
        }
        for event in selectors.event_rows(found)
    ]
