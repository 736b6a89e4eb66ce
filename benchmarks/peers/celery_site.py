"""A Django site that draws with Celery on Redis, and notifies pages with `group_send`.

It has one row per picture, a task with three stages, and a consumer that joins the group of its
user, as tutorials of Celery and Channels do. A cookie names the user, without accounts.
DATABASE_URL, REDIS_URL and MODEL_URL are the servers. Run as a program it creates the table.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
import httpx
from celery import Celery
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings

FOLDER = Path(os.environ["DATA_DIR"])
# redis-py 8 gives up after 5 s by default, which ends a consumer that waits for messages
CHANNEL_REDIS = {"address": os.environ["REDIS_URL"], "socket_timeout": None}
database = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    SECRET_KEY="of a benchmark",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["channels", "benchmarks.peers"],
    USE_TZ=True,
    MEDIA_ROOT=FOLDER,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": database.hostname,
            "PORT": database.port,
            "USER": database.username,
            "NAME": database.path.removeprefix("/"),
            "CONN_MAX_AGE": 60,
        }
    },
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [CHANNEL_REDIS], "capacity": 1000},
        }
    },
)
django.setup()

# these need the settings
# isort: split
from asgiref.sync import async_to_sync, sync_to_async  # noqa: E402
from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

celery = Celery("peers", broker=os.environ["REDIS_URL"])
model = httpx.Client(
    base_url=os.environ["MODEL_URL"],
    timeout=60,
    trust_env=False,
    limits=httpx.Limits(max_connections=None, keepalive_expiry=60),
)


class Picture(models.Model):
    owner = models.CharField(max_length=50, db_index=True)
    prompt = models.TextField()
    status = models.CharField(max_length=20, default="queued")
    progress = models.IntegerField(default=0)
    file = models.FileField(blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "peers"

    def __str__(self) -> str:
        return self.prompt

    def report(self, status: str, progress: int) -> None:
        """Store the stage, and notify the pages of the owner."""
        self.status, self.progress = status, progress
        self.save()
        frame = {
            "type": "result" if status == "completed" else "progress",
            "task_id": self.pk,
            "progress": progress,
            "url": self.file.name,
        }
        message = {"type": "picture.changed", "frame": frame}
        async_to_sync(get_channel_layer().group_send)(f"user-{self.owner}", message)


@celery.task
def draw(number: int) -> None:
    picture = Picture.objects.get(pk=number)
    picture.report("running", 33)
    order = {"prompt": picture.prompt, "width": 512, "height": 512, "steps": 9}
    answer = model.post("/sdapi/v1/txt2img", json=order)
    content = base64.b64decode(answer.raise_for_status().json()["images"][0])
    picture.report("running", 90)
    picture.file.save(f"{number}.jpg", ContentFile(content), save=False)
    picture.report("completed", 100)


class PageConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self) -> None:
        self.owner = owner_of(dict(self.scope["headers"])[b"cookie"].decode())
        await self.channel_layer.group_add(f"user-{self.owner}", self.channel_name)
        await self.accept()
        await self.send_json({"type": "hello"})

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(f"user-{self.owner}", self.channel_name)

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        picture = await Picture.objects.acreate(owner=self.owner, prompt=content["prompt"])
        await sync_to_async(draw.delay)(picture.pk)
        await self.send_json({"type": "ack", "task_id": picture.pk})

    async def picture_changed(self, event: dict[str, Any]) -> None:
        await self.send_json(event["frame"])


def owner_of(cookie: str) -> str:
    return cookie.removeprefix("user=")


def pictures(request: HttpRequest) -> JsonResponse:
    """What the page of a user shows before its socket is open."""
    rows = Picture.objects.filter(owner=request.COOKIES.get("user", "")).order_by("-created")
    return JsonResponse({"pictures": list(rows.values("pk", "status", "progress", "file"))})


urlpatterns = [path("pictures", pictures)]
sockets: Any = URLRouter([path("ws/generate", PageConsumer.as_asgi())])
application = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": sockets})

if __name__ == "__main__":
    with connection.schema_editor() as editor:
        editor.create_model(Picture)
