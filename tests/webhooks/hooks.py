"""Webhooks of users, and scripted lookups of their hosts."""

from __future__ import annotations

import socket
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from generation import services
from generation.models import GenerationTask, WebhookEndpoint
from generation.protocol import WebhookRequest


def new_hook(
    owner: User, now: datetime, *events: str, task: GenerationTask | None = None
) -> WebhookEndpoint:
    request = WebhookRequest(url="http://127.0.0.1:9/", events=events)
    values = services.webhook_values(request)
    return services.create_webhook(owner=owner, values=values, now=now, task=task).endpoint


def answer_lookups(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Answer the lookups of this process, the last answer for ever; returns the names."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked
