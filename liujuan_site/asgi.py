"""The ASGI application; under Daphne also the boot and drain of its process."""

from __future__ import annotations

import gc
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liujuan_site.settings")

from liujuan_site.environment import load_settings

# everything imported here is kept: collections meanwhile would read it again and again
gc.disable()
load_settings()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.urls import re_path  # noqa: E402

os.umask(settings.UMASK)
django_application = get_asgi_application()  # before anything that needs the app registry

from generation.routing import websocket_urlpatterns  # noqa: E402
from liujuan_site.backpressure import with_backpressure, with_paced_bodies  # noqa: E402
from liujuan_site.db_connections import (  # noqa: E402
    close_connections_with_requests,
    wait_briefly_for_writers,
)
from liujuan_site.lifespan import Lifecycle, when_daphne_runs  # noqa: E402
from liujuan_site.malformed_requests import refuse_socket, without_nul  # noqa: E402
from liujuan_site.request_ids import with_request_ids  # noqa: E402
from liujuan_site.sub_path import mounted_at, relative_to  # noqa: E402

close_connections_with_requests()
wait_briefly_for_writers()

lifecycle = Lifecycle()
elsewhere: Any = refuse_socket
socket_addresses = [*websocket_urlpatterns, re_path("", elsewhere)]
application = ProtocolTypeRouter(
    {
        "http": with_request_ids(
            without_nul(
                mounted_at(
                    settings.BASE_PATH, with_paced_bodies(django_application, settings.BASE_PATH)
                )
            )
        ),
        "websocket": with_request_ids(
            without_nul(
                relative_to(settings.BASE_PATH, with_backpressure(URLRouter(socket_addresses)))
            )
        ),
        "lifespan": lifecycle.lifespan,
    }
)
when_daphne_runs(lifecycle)
gc.enable()
