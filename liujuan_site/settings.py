"""Settings: every environment variable is read here, once, with a type and a default that runs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from liujuan_site.logs import without_traceback

VERSION = "0.1.0"
BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def private_file(path: Path, make: str) -> str:
    """Text of `path`; written with `make` and mode 0600 if it does not exist yet."""
    if not path.exists():
        # complete under another name first: a crash, or a second start, must not see half of it
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.touch(mode=0o600)
        part.write_text(make, encoding="utf-8")
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
        part.unlink()
    return path.read_text(encoding="utf-8").strip()


# Where everything the program writes lives
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)

# Address and safety
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
DEBUG = env.bool("DEBUG", default=False)
HTTPS = env.bool("HTTPS", default=False)
SECRET_KEY_GIVEN = env.str("SECRET_KEY", default="")
SECRET_KEY = SECRET_KEY_GIVEN or private_file(DATA_DIR / "secret_key", secrets.token_urlsafe(50))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", HOST])
if PUBLIC_URL:
    CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
"""How many addresses at the right of X-Forwarded-For were written by proxies of ours."""

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Applications
INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "generation",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
]
ROOT_URLCONF = "liujuan_site.urls"
ASGI_APPLICATION = "liujuan_site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "studio"
LOGOUT_REDIRECT_URL = "sign-in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]

# Database
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASE_URL = env.str("DATABASE_URL", default="")

SILENT_SERVER = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A database host that vanishes says no goodbye; the kernel's own patience is hours."""


def database() -> dict[str, Any]:
    if not DATABASE_URL:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "db.sqlite3",
            "CONN_MAX_AGE": None,
            # tests use threads: SQLite's shared in-memory database locks whole tables
            "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
            "OPTIONS": {
                # without IMMEDIATE half of all concurrent appends fail at once with "locked"
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
            },
        }
    config: dict[str, Any] = dict(env.db_url_config(DATABASE_URL))
    if config["ENGINE"] == "django.db.backends.postgresql":
        # looks at each connection: after a restart of the database nobody is handed a dead one
        config["ENGINE"] = "liujuan_site.postgresql"
        config["OPTIONS"] = SILENT_SERVER | config.get("OPTIONS", {})
        config["OPTIONS"]["pool"] = {
            "min_size": 2,
            "max_size": 8,
            "timeout": 5,
            # beyond that the pool waits twice as long before each further try; with a fresh
            # request for a connection it tries at once
            "reconnect_timeout": 2,
        }
    return config


DATABASES = {"default": database()}

# Channel layer: a doorbell only; it may lose any message
REDIS_URL = env.str("REDIS_URL", default="")


def channel_layer() -> dict[str, Any]:
    if not REDIS_URL:
        return {
            "BACKEND": "channels.layers.InMemoryChannelLayer",
            "CONFIG": {"capacity": 10_000},
        }
    return {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_timeout": 15}],
            # owners are numbered in every installation: two that share a Redis must not hear
            # of each other's tasks, and only processes of one installation share the key
            "prefix": "liujuan." + hashlib.sha256(SECRET_KEY.encode()).hexdigest()[:12],
        },
    }


CHANNEL_LAYERS = {"default": channel_layer()}

# The model and the worker
XINFERENCE_URL = env.str("XINFERENCE_URL", default="").rstrip("/")
XINFERENCE_API_KEY = env.str("XINFERENCE_API_KEY", default="")
XINFERENCE_MODEL = env.str("XINFERENCE_MODEL", default="LiuJuan20260223Zimage")
DEMO_SPEED = env.float("DEMO_SPEED", default=1.0)
EMBEDDED_WORKER = env.bool("EMBEDDED_WORKER", default=not REDIS_URL)
GENERATION_SLOTS = env.str("GENERATION_SLOTS", default="")
GENERATION_LEASE = timedelta(seconds=env.float("GENERATION_LEASE", default=30.0))
GENERATION_GRACE = timedelta(seconds=env.float("GENERATION_GRACE", default=20.0))
GENERATION_STALL = timedelta(seconds=env.float("GENERATION_STALL", default=0.0))
"""Zero: the larger of 120 s and ten times the median of that size."""

# Files
MEDIA_ROOT = DATA_DIR / "media"
ACCEL_REDIRECT = env.str("ACCEL_REDIRECT", default="").rstrip("/")
"""Empty: this process sends picture files itself, instead of the proxy in front."""
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "liujuan_site.storage.ModuleManifestStorage"},
}

# Languages
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
    },
    "filters": {
        "without_traceback": {
            "()": "django.utils.log.CallbackFilter",
            "callback": without_traceback,
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "generation": {"level": "INFO"},
        "liujuan_site": {"level": "INFO"},
        "liujuan.security": {"level": "INFO"},
        # a polled progress URL would otherwise write a line seven times a second
        "httpx": {"level": "WARNING"},
        # while Redis is away: sixty lines of traceback every second, which all say the same
        "channels_redis.pubsub": {"filters": ["without_traceback"]},
    },
}
