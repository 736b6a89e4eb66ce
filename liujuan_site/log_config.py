"""The setting LOGGING: every line goes through SafeFormatter or JsonFormatter to stderr."""

from __future__ import annotations

from typing import Any

from liujuan_site.log_filters import report_database, report_layer

FORMATTERS: dict[str, dict[str, str]] = {
    "text": {
        "()": "liujuan_site.log_filters.SafeFormatter",
        "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
    },
    "json": {"()": "liujuan_site.log_filters.JsonFormatter"},
}


def log_config(
    secrets: tuple[str, ...], *, log_format: str = "text", sentry: str = "", release: str = ""
) -> dict[str, Any]:
    """`secrets` are replaced in every line; `log_format`: `text` or `json`.

    `sentry`: the DSN to which errors go too, or empty.
    """
    reports: dict[str, Any] = {
        "()": "liujuan_site.error_reports.sentry_handler",
        "level": "ERROR",
        "filters": ["repeats"],
        "dsn": sentry,
        "release": release,
        "secrets": secrets,
    }
    more = {"sentry": reports} if sentry else {}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {**FORMATTERS[log_format], "secrets": secrets},
        },
        "filters": {
            "repeats": {"()": "liujuan_site.log_filters.RepeatFilter"},
            "report_database": {
                "()": "django.utils.log.CallbackFilter",
                "callback": report_database,
            },
            "report_layer": {"()": "django.utils.log.CallbackFilter", "callback": report_layer},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["repeats"],
            },
            **more,
        },
        "root": {"handlers": ["stderr", *more], "level": "WARNING"},
        "loggers": {
            "accounts": {"level": "INFO"},
            "generation": {"level": "INFO"},
            "liujuan_site": {"level": "INFO"},
            "liujuan.security": {"level": "INFO"},
            # without Django's own handlers, which bypass our formatter
            "django": {"handlers": [], "level": "INFO"},
            "django.server": {"handlers": [], "level": "INFO", "propagate": True},
            # no lines for 4xx responses, of which clients can cause any number
            "django.request": {"level": "ERROR"},
            # polling the progress URL would otherwise write seven lines a second
            "httpx": {"level": "WARNING"},
            # no lines about messages that clients get wrong
            "mcp": {"level": "ERROR"},
            # redis-py adds a handler of its own unless this logger is configured
            "push_response": {"level": "WARNING"},
            # both retry many times a second while their server is down
            "psycopg.pool": {"filters": ["report_database"]},
            "channels_redis.pubsub": {"filters": ["report_layer"]},
        },
    }
