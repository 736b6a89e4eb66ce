"""Settings; every environment variable is read here, with a type and a working default."""

from __future__ import annotations

import os
import re
import secrets
from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from generation import http_addresses
from generation.http_addresses import without_password
from liujuan_site import VERSION as VERSION
from liujuan_site import (
    addresses,
    databases,
    log_config,
    mail,
    redis_stores,
    redis_urls,
    server_list,
    validators,
)
from liujuan_site.data_dir import DataDir
from liujuan_site.environment import Environment
from liujuan_site.log_filters import secrets_of
from liujuan_site.namespaces import redis_prefix, session_cookie, worker_channel
from liujuan_site.optional_packages import refuse_without_packages

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(os.environ)


# Folders and databases
ACCEL_REDIRECT = env.text("ACCEL_REDIRECT", default="", read=validators.internal_path)
"""Path at which the proxy in front serves picture files; empty: this process sends them."""
FOLDER_MODE = 0o750 if ACCEL_REDIRECT else 0o700
"""The group may read pictures only if nginx, as a member of it, sends them."""
UMASK = 0o777 & ~FOLDER_MODE
"""Of web and worker processes; other commands only deny writing to other accounts."""
DATA_DIR = Path(env.text("DATA_DIR", default=str(BASE_DIR / "var"), read=validators.data_folder))
DATABASE_URL = env.secret("DATABASE_URL", default="", read=databases.database_url)
DATABASES = {"default": databases.database_of(DATABASE_URL, DATA_DIR)}
IS_SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
REDIS_URL = env.secret("REDIS_URL", default="", read=redis_urls.redis)

# Addresses and security
HOST = env.text("HOST", default="127.0.0.1", read=addresses.host)
PORT = env.whole_number("PORT", default=8000, least=1, most=65_535)
PUBLIC_URL = env.text("PUBLIC_URL", default="", read=addresses.public)
SITE_URLS = [PUBLIC_URL] if PUBLIC_URL else addresses.urls_of(HOST, PORT)
"""URLs of the site; the first one works on this machine."""
BASE_PATH = addresses.path_of(PUBLIC_URL)
"""Path below which the whole site is, such as /studio; empty at the root of the host."""
DEBUG = env.switch("DEBUG", default=False)
HTTPS = env.switch("HTTPS", default=PUBLIC_URL.startswith("https:"))
if PUBLIC_URL and PUBLIC_URL.startswith("https:") != HTTPS:
    env.refuse(f"PUBLIC_URL={PUBLIC_URL} and HTTPS={HTTPS:d} contradict each other. Remove HTTPS.")

SECRET_KEY_GIVEN = env.secret("SECRET_KEY", default="", read=validators.signing_key)
SECRET_KEY_FALLBACKS = env.secrets("SECRET_KEY_FALLBACKS", default=[], read=validators.signing_key)

ALLOWED_HOSTS = env.names(
    "ALLOWED_HOSTS", default=addresses.names_of(HOST), read=addresses.allowed_host
)
# for probes on this host; these names cannot be reached from other hosts
ALLOWED_HOSTS = list(dict.fromkeys(["localhost", "127.0.0.1", "[::1]", *ALLOWED_HOSTS]))
if PUBLIC_URL:
    ALLOWED_HOSTS.append(addresses.host_of(PUBLIC_URL))
    CSRF_TRUSTED_ORIGINS = [addresses.origin_of(PUBLIC_URL)]

TRUSTED_PROXIES = env.whole_number("TRUSTED_PROXIES", default=0, least=0, most=10)
"""Number of our proxies, each of which appends one address to X-Forwarded-For."""

CONNECTIONS_PER_ADDRESS = env.whole_number(
    "CONNECTIONS_PER_ADDRESS", default=500, least=1, most=1_000_000
)
"""Per web process; not used behind a proxy."""

CONNECTIONS_PER_PERSON = env.whole_number(
    "CONNECTIONS_PER_PERSON", default=30, least=1, most=1_000_000
)
"""Sockets and event streams that one user may have open in one web process."""

MCP = env.switch("MCP", default=True)
"""Whether programs may use the Model Context Protocol at /mcp."""

# Accounts
SIGNUP = env.text("SIGNUP", default="closed", read=validators.sign_up)
EMAIL_URL = env.secret("EMAIL_URL", default="", read=mail.email_url)
if EMAIL_URL and not PUBLIC_URL:
    env.refuse("EMAIL_URL is set, and PUBLIC_URL is not: links in mails need it. Set PUBLIC_URL.")
MFA_STAFF = env.switch("MFA_STAFF", default=False)

# Metrics
METRICS_KEY = env.secret("METRICS_KEY", default="", read=validators.signing_key)
"""Opens /metrics, as a bearer token or as a password."""
METRICS_NETWORKS = env.names("METRICS_NETWORKS", default=[], read=addresses.network)
"""From which /metrics can be read; without them and without a key from this machine alone."""
METRICS_PORT = env.text("METRICS_PORT", default="", read=addresses.listen_address)
"""Address and port at which a worker process serves /metrics; empty: none."""

# Whether pictures are shown before or only after a reviewer has approved them
REVIEW = env.text("REVIEW", default="after", read=validators.review)

# Sign-in with accounts of an OpenID provider
OIDC_SERVER = env.text("OIDC_SERVER", default="", read=addresses.identity_provider)
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.secret("OIDC_CLIENT_SECRET", default="", read=validators.api_key)
OIDC_NAME = env.text("OIDC_NAME", default="OpenID")
OIDC_SIGNUP = env.switch("OIDC_SIGNUP", default=False)
OIDC_TRUST_EMAIL = env.switch("OIDC_TRUST_EMAIL", default=False)
if OIDC_SERVER and not (OIDC_CLIENT_ID and OIDC_CLIENT_SECRET):
    env.refuse("OIDC_SERVER needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET. Set all three.")

# Limits of a user; 0: unlimited
MOST = 10**15
LIMIT_UNFINISHED = env.whole_number("LIMIT_UNFINISHED", default=500, least=0, most=MOST)
"""More would only lengthen the queue for others."""
LIMIT_PICTURES_PER_DAY = env.whole_number("LIMIT_PICTURES_PER_DAY", default=0, least=0, most=MOST)
LIMIT_EFFORT = env.whole_number("LIMIT_EFFORT", default=0, least=0, most=MOST)
"""Of one task: pixels × steps × pictures."""
LIMIT_EFFORT_PER_DAY = env.whole_number("LIMIT_EFFORT_PER_DAY", default=0, least=0, most=MOST)
LIMIT_SUBMISSIONS_PER_MINUTE = env.whole_number(
    "LIMIT_SUBMISSIONS_PER_MINUTE", default=0, least=0, most=MOST
)
LIMIT_REQUESTS_PER_MINUTE = env.whole_number(
    "LIMIT_REQUESTS_PER_MINUTE", default=0, least=0, most=MOST
)
"""To the API."""
LIMIT_STORAGE = env.whole_number("LIMIT_STORAGE", default=0, least=0, most=MOST)
"""Bytes of stored pictures."""

# Days that data is kept; 0: for ever
CENTURY = 36_500
RETENTION_PROMPTS = env.whole_number("RETENTION_PROMPTS", default=0, least=0, most=CENTURY)
RETENTION_LOGS = env.whole_number("RETENTION_LOGS", default=0, least=0, most=CENTURY)
RETENTION_PICTURES = env.whole_number("RETENTION_PICTURES", default=0, least=0, most=CENTURY)
RETENTION_FAVOURITES = env.whole_number("RETENTION_FAVOURITES", default=0, least=0, most=CENTURY)
RETENTION_TRASH = env.whole_number("RETENTION_TRASH", default=1, least=0, most=CENTURY)
PRUNE_HOUR = env.whole_number("PRUNE_HOUR", default=3, least=0, most=23)
"""Hour of TIME_ZONE from which a worker deletes what was kept long enough."""

# Webhooks
WEBHOOK_ALLOW = env.names("WEBHOOK_ALLOW", default=[], read=addresses.webhook_target)
"""Networks and hosts that may receive messages although they are not public, and without TLS."""
WEBHOOK_OFF_AFTER = timedelta(
    days=env.whole_number("WEBHOOK_OFF_AFTER", default=5, least=0, most=365)
)
"""Zero: a webhook that fails is never turned off."""

# Alarms; 0 turns one off
ADMINS = [(address, address) for address in env.names("ADMINS", default=[], read=mail.address)]
"""Get mails about incidents; Django's own mails about errors are turned off by LOGGING."""
if ADMINS and not EMAIL_URL:
    env.refuse("ADMINS is set, and EMAIL_URL is not: without it no mail is sent. Set EMAIL_URL.")
ALERT_URL = env.secret("ALERT_URL", default="", read=addresses.alert_target)
ALERT_SECRET = env.secret("ALERT_SECRET", default="", read=validators.webhook_secret)
HEARTBEAT_URL = env.secret("HEARTBEAT_URL", default="", read=addresses.alert_target)
ALERT_MODEL_DOWN = timedelta(
    minutes=env.number("ALERT_MODEL_DOWN", default=5.0, least=0, most=10_000)
)
ALERT_OLDEST_WAIT = timedelta(
    minutes=env.number("ALERT_OLDEST_WAIT", default=30.0, least=0, most=10_000)
)
ALERT_FAILURES = env.whole_number("ALERT_FAILURES", default=50, least=0, most=100)
"""Percent of the tasks that ended in 15 minutes."""
ALERT_FREE_SPACE = 2**20 * env.whole_number("ALERT_FREE_SPACE", default=1024, least=0, most=2**30)
"""Bytes below MEDIA_ROOT; the variable is in MiB."""

# The model and the worker
XINFERENCE_URL = env.secret("XINFERENCE_URL", default="", read=http_addresses.model_server)
XINFERENCE_API_KEY = env.secret("XINFERENCE_API_KEY", default="", read=validators.api_key)
if XINFERENCE_API_KEY and "@" in XINFERENCE_URL:
    env.refuse("XINFERENCE_URL has a user, and XINFERENCE_API_KEY is set: only one can be sent.")
XINFERENCE_URLS = server_list.by_name(
    env.secrets("XINFERENCE_URLS", default=[], read=server_list.named_server)
)
"""Name → (URL, key) of further model servers."""
if XINFERENCE_URL and "default" in XINFERENCE_URLS:
    env.refuse("XINFERENCE_URLS names `default`, which is the server of XINFERENCE_URL: rename it.")
XINFERENCE_SERVERS_IN_ADMIN = env.switch("XINFERENCE_SERVERS_IN_ADMIN", default=False)
"""Whether operators name the model servers in the admin, so that there is no demo model."""
XINFERENCE_CA = env.text("XINFERENCE_CA", default="", read=validators.certificates)
XINFERENCE_CLIENT_CERTIFICATE = env.text(
    "XINFERENCE_CLIENT_CERTIFICATE", default="", read=validators.client_certificate
)
XINFERENCE_VERIFY = env.switch("XINFERENCE_VERIFY", default=True)
if XINFERENCE_CA and not XINFERENCE_VERIFY:
    env.refuse("XINFERENCE_CA is of no use with XINFERENCE_VERIFY=0: remove one of them.")
XINFERENCE_PROXY = env.secret("XINFERENCE_PROXY", default="", read=http_addresses.http_proxy)
SSL_CERT_FILE = env.text("SSL_CERT_FILE", default="", read=validators.certificates)
SSL_CERT_DIR = env.text("SSL_CERT_DIR", default="", read=validators.folder)
MODEL_SERVER = ", ".join(
    without_password(url)
    for url in (XINFERENCE_URL, *(url for url, _key in XINFERENCE_URLS.values()))
    if url
)
"""Addresses of the model servers of the settings without user and password, for display."""
XINFERENCE_MODEL = env.text(
    "XINFERENCE_MODEL", default="LiuJuan20260223Zimage", read=validators.model_name
)
DEMO_SPEED = env.number("DEMO_SPEED", default=1.0, least=0.01, most=1_000)
DEMO_FAULTS = env.text("DEMO_FAULTS", default="", read=validators.demo_faults)
if DEMO_FAULTS and (MODEL_SERVER or XINFERENCE_SERVERS_IN_ADMIN):
    env.refuse("DEMO_FAULTS is of the demo model, and a model server is set: remove one of them.")
EMBEDDED_WORKER = env.switch("EMBEDDED_WORKER", default=not REDIS_URL)
GENERATION_SLOTS = env.text("GENERATION_SLOTS", default="", read=validators.slots)
GENERATION_LEASE = timedelta(
    seconds=env.number("GENERATION_LEASE", default=30.0, least=3, most=3_600)
)
GENERATION_GRACE = timedelta(
    seconds=env.number("GENERATION_GRACE", default=20.0, least=0, most=3_600)
)
GENERATION_STALL = timedelta(
    seconds=env.number("GENERATION_STALL", default=0.0, least=0, most=86_400)
)
"""Zero: the larger of 120 s and ten times the median duration for the picture size."""
GENERATION_DEADLINE = timedelta(
    seconds=env.number("GENERATION_DEADLINE", default=0.0, least=0, most=864_000)
)
"""Zero: the larger of an hour and twenty times the median duration for the picture size."""
TIME_ZONE = env.text("TIME_ZONE", default="UTC", read=validators.time_zone)
LOG_FORMAT = env.text("LOG_FORMAT", default="text", read=validators.log_format)
OTEL_EXPORTER_OTLP_ENDPOINT = env.text(
    "OTEL_EXPORTER_OTLP_ENDPOINT", default="", read=addresses.collector
)
"""Other variables of OpenTelemetry are read by its SDK."""
SENTRY_DSN = env.secret("SENTRY_DSN", default="", read=addresses.sentry_dsn)
if OTEL_EXPORTER_OTLP_ENDPOINT:
    refuse_without_packages(
        env,
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        *("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http"),
    )
if SENTRY_DSN:
    refuse_without_packages(env, "SENTRY_DSN", "sentry_sdk")

# Files and folders are changed only if all settings above are valid
FOLDER = DataDir(
    DATA_DIR, FOLDER_MODE, env, database=DATABASES["default"]["NAME"] if IS_SQLITE else None
)
FOLDER.examine()
env.refuse_mistakes()
FOLDER.prepare()
env.refuse_mistakes()
DATA_DIR_IS_CLOSED = FOLDER.is_closed
SECRET_KEY = SECRET_KEY_GIVEN or FOLDER.secret_key(secrets.token_urlsafe(50))

# Security
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
# the host's other names belong to others, who decide about HTTPS and preload lists
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REDIRECT_EXEMPT = [rf"^{re.escape(BASE_PATH[1:])}/?(healthz|readyz|metrics)$"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
"""Bytes of a body; Daphne refuses it earlier, and for most paths refuses less."""
SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_NAME = session_cookie(public_url=PUBLIC_URL, secret_key=SECRET_KEY)
CSRF_COOKIE_NAME = SESSION_COOKIE_NAME.replace("sessionid", "csrftoken")
LANGUAGE_COOKIE_NAME = SESSION_COOKIE_NAME.replace("sessionid", "language")
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LANGUAGE_COOKIE_PATH = f"{BASE_PATH}/"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
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
    # before staticfiles, for its runserver
    "generation",
    # before accounts, which replaces their pages of the admin
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    # its tables and packages are of no use without a provider
    *(
        ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
        if OIDC_SERVER
        else []
    ),
    "accounts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "channels",
    "csp",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "liujuan_site.response_headers.response_headers",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "generation.views.error_pages.NotFoundMiddleware",
    "accounts.profile_middleware.ProfileMiddleware",
    "accounts.second_factor.SecondFactorMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "liujuan_site.urls"
ASGI_APPLICATION = "liujuan_site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "generation.templatetags.studio_tags",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "liujuan_site.template_loader.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.account_options",
            ],
        },
    },
]
AUTHENTICATION_BACKENDS = [
    "accounts.sign_in.PasswordBackend",
    # never checks a password: sessions of earlier versions refer to it
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "studio"
LOGOUT_REDIRECT_URL = "account_login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.passwords.LengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "reauthenticate": "accounts.forms.ConfirmForm",
    "change_password": "accounts.forms.PasswordForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
}
ACCOUNT_USER_DISPLAY = "accounts.profiles.shown_name"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
# an address that cannot be confirmed would be of no use
ACCOUNT_SIGNUP_FIELDS = ["username*", *(["email*"] if EMAIL_URL else []), "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_URL else "none"
ACCOUNT_EMAIL_NOTIFICATIONS = bool(EMAIL_URL)
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[LiuJuan Studio] "
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# a code comes by mail
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa", *(["code"] if EMAIL_URL else [])]
ACCOUNT_USERNAME_MIN_LENGTH = 1
# passwords have limits of their own; all other limits are allauth's defaults. `login_failed` also
# limits codes of second factors and must stay
ACCOUNT_RATE_LIMITS = {"login": None}
MFA_ADAPTER = "accounts.adapters.MFAAdapter"
MFA_FORMS = {
    "activate_totp": "accounts.forms.ActivateTotpForm",
    "add_webauthn": "accounts.forms.AddPasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "LiuJuan Studio"
MFA_TOTP_TOLERANCE = 1
USERSESSIONS_ADAPTER = "accounts.adapters.SessionsAdapter"
SOCIALACCOUNT_ADAPTER = "accounts.oidc_adapter.OidcAdapter"
SOCIALACCOUNT_EMAIL_REQUIRED = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": [
            {
                # accounts.oidc_adapter.PROVIDER_ID
                "provider_id": "provider",
                "name": OIDC_NAME,
                "client_id": OIDC_CLIENT_ID,
                "secret": OIDC_CLIENT_SECRET,
                "settings": {
                    "server_url": OIDC_SERVER,
                    "oauth_pkce_enabled": True,
                },
            }
        ]
    }
}

# Mail
MAIL = mail.server_of(EMAIL_URL)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = MAIL.sender
EMAIL_BACKEND, EMAIL_FILE_PATH = MAIL.backend, MAIL.folder
EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = MAIL.host, MAIL.port, 10
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.use_starttls, MAIL.use_tls

# Channel layer: notifies only, and may lose any message; the database has all events
REDIS_PREFIX = redis_prefix([SECRET_KEY, *SECRET_KEY_FALLBACKS])
WORKER_CHANNEL = worker_channel([SECRET_KEY, *SECRET_KEY_FALLBACKS])
CHANNEL_LAYERS = redis_stores.channel_layers(REDIS_URL, REDIS_PREFIX)

# Counts of sign-in attempts: of all processes together, or of one process while Redis is down
CACHES = redis_stores.caches(REDIS_URL, REDIS_PREFIX)

# Files
MEDIA_ROOT = DATA_DIR / "media"
STATIC_URL = f"{BASE_PATH}/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "liujuan_site.static_storage.ModuleManifestStorage",
        # readable for all: they hold no secrets, and root may have collected them
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}

# Languages
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]

LOGGING = log_config.log_config(
    secrets_of(
        *(SECRET_KEY, *SECRET_KEY_FALLBACKS, XINFERENCE_API_KEY, METRICS_KEY),
        *(ALERT_URL, ALERT_SECRET, HEARTBEAT_URL),
        *(XINFERENCE_URL, XINFERENCE_PROXY, DATABASE_URL, REDIS_URL, EMAIL_URL, OIDC_CLIENT_SECRET),
        *(text for server in XINFERENCE_URLS.values() for text in server),
    ),
    log_format=LOG_FORMAT,
    sentry=SENTRY_DSN,
    release=VERSION,
)
