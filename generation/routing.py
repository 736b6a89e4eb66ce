"""Socket addresses."""

from __future__ import annotations

from typing import Any

from django.urls import path

from generation.consumers import GenerateConsumer

socket: Any = GenerateConsumer.as_asgi()
websocket_urlpatterns: list[Any] = [path("ws/generate", socket)]
