"""The settings CHANNEL_LAYERS and CACHES: in Redis, or in the process without REDIS_URL."""

from __future__ import annotations

from typing import Any

LOCAL_CACHE: dict[str, Any] = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    # the least recently used entry is evicted first: a flood of names evicts its own entries
    "OPTIONS": {"MAX_ENTRIES": 20_000},
}


def channel_layers(url: str, prefix: str) -> dict[str, Any]:
    if not url:
        backend = "channels.layers.InMemoryChannelLayer"
        return {"default": {"BACKEND": backend, "CONFIG": {"capacity": 10_000}}}
    from liujuan_site.redis_layer import redis_host

    return {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            # owner ids repeat across installations: those that share a Redis must not receive
            # each other's events
            "CONFIG": {"hosts": [redis_host(url)], "prefix": prefix},
        }
    }


def caches(url: str, prefix: str) -> dict[str, Any]:
    return {
        "default": {"BACKEND": "accounts.failover_cache.FailoverCache"},
        "shared": shared_cache(url, prefix) if url else LOCAL_CACHE,
        "local": LOCAL_CACHE | {"LOCATION": "local"},
    }


def shared_cache(url: str, prefix: str) -> dict[str, Any]:
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": url,
        "KEY_PREFIX": prefix,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
