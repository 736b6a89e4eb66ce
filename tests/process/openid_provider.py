"""A real OpenID provider for tests: allauth's own. PORT FOLDER REDIRECT_URI…"""

from __future__ import annotations

import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from types import ModuleType
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings

CLIENT, SECRET = "studio", "the-secret-of-the-studio"
PEOPLE = {
    **dict.fromkeys(("mei", "bao", "ann", "dan", "alice"), True),
    "mallory": False,
    "silent": None,
}
"""Name → the claim `email_verified` of the address NAME@example.org; None: there is no claim."""
PASSWORD = "a password at the provider"
URLS = "urls_of_the_provider"
CONTRIB = ("auth", "contenttypes", "sessions", "messages")
PROCESSORS = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
)
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


def configure(folder: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    settings.configure(
        SECRET_KEY="of no use to anyone but this process",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=URLS,
        USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "idp.db"}},
        INSTALLED_APPS=[
            *(f"django.contrib.{name}" for name in CONTRIB),
            *("allauth", "allauth.account", "allauth.idp.oidc"),
        ],
        MIDDLEWARE=MIDDLEWARE,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": PROCESSORS},
            }
        ],
        IDP_OIDC_PRIVATE_KEY=key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ).decode(),
        IDP_OIDC_ADAPTER=f"{URLS}.Claims",
        ACCOUNT_EMAIL_VERIFICATION="none",
        SESSION_COOKIE_NAME="session_of_the_provider",
        CSRF_COOKIE_NAME="form_of_the_provider",
    )


def serve(port: int, redirect_uris: list[str]) -> None:
    urls = sys.modules[URLS] = ModuleType(URLS)
    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.urls import include, path

    vars(urls)["urlpatterns"] = [
        path("accounts/", include("allauth.account.urls")),
        path("", include("allauth.idp.urls")),
    ]
    vars(urls)["Claims"] = claims_without_those_of_none()
    call_command("migrate", verbosity=0)
    add_rows(redirect_uris)
    server = make_server(
        "127.0.0.1", port, get_wsgi_application(), server_class=Server, handler_class=Quiet
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()


def claims_without_those_of_none() -> type:
    from allauth.idp.oidc.adapter import DefaultOIDCAdapter

    class Claims(DefaultOIDCAdapter):  # type: ignore[misc]
        def get_claims(self, purpose: str, user: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
            claims: dict[str, Any] = super().get_claims(purpose, user, *args, **kwargs)
            if PEOPLE[user.username] is None:
                claims.pop("email_verified", None)
            return claims

    return Claims


def add_rows(redirect_uris: list[str]) -> None:
    from allauth.account.models import EmailAddress
    from allauth.idp.oidc.models import Client
    from django.contrib.auth.models import User

    for name, verified in PEOPLE.items():
        email = f"{name}@example.org"
        user = User.objects.create_user(name, email, PASSWORD)
        EmailAddress.objects.create(user=user, email=email, verified=bool(verified), primary=True)
    client = Client(id=CLIENT, name="Studio", scopes="openid\nprofile\nemail")
    client.redirect_uris, client.grant_types = "\n".join(redirect_uris), "authorization_code"
    client.set_secret(SECRET)
    client.save()


if __name__ == "__main__":
    configure(Path(sys.argv[2]))
    serve(int(sys.argv[1]), sys.argv[3:])
