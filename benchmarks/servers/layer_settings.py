"""The product's settings with the channel layer that LAYER names."""

from __future__ import annotations

import os

from liujuan_site.settings import *  # noqa: F403
from liujuan_site.settings import REDIS_URL

HOSTS = [{"address": REDIS_URL, "socket_timeout": 15}]
CHANNEL_LAYERS = {
    "default": {
        "in-memory": {
            "BACKEND": "channels.layers.InMemoryChannelLayer",
            "CONFIG": {"capacity": 10_000},
        },
        "core": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": HOSTS, "capacity": 10_000, "prefix": "core"},
        },
        "pubsub": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": HOSTS, "prefix": "pubsub"},
        },
    }[os.environ["LAYER"]]
}
