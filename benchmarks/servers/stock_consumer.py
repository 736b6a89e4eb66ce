"""A stock Channels consumer on the same layer and log: every socket joins the group itself."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

django_application = get_asgi_application()  # before anything that needs the app registry

from typing import Any  # noqa: E402

from benchmarks.servers.layer_counts import layer_figures  # noqa: E402
from benchmarks.servers.process_counts import with_figures  # noqa: E402
from generation import broadcast, selectors  # noqa: E402


class StockConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self) -> None:
        self.attached: set[str] = set()
        await self.accept()
        user: Any = self.scope["user"]
        self.group = broadcast.group_of(user.pk)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send_json({"type": "hello"})

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        task_id = content["task_id"]
        self.attached.add(task_id)
        cursor, more = content["after"], True
        while more:
            page = await database_sync_to_async(selectors.log_after)(task_id=task_id, after=cursor)
            for seq, frame in page.frames:
                await self.send(text_data=frame)
                cursor = seq
            more = page.more
        await self.send(text_data='{"type":"live"}')

    async def task_event(self, event: dict[str, Any]) -> None:
        if event["task_id"] in self.attached:
            await self.send(text_data=event["frame"])

    async def task_created(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["frame"])


consumer: Any = StockConsumer.as_asgi()
sockets = AuthMiddlewareStack(URLRouter([path("ws/generate", consumer)]))
application = with_figures(
    ProtocolTypeRouter({"http": django_application, "websocket": sockets}), layer_figures
)
