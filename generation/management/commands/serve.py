"""`manage.py serve`: prepare everything and run web and worker in one process."""

from __future__ import annotations

import errno
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from generation import services

NAME = "studio"


class Command(BaseCommand):
    help = "Migrate, create the first account, print the address, and serve with Daphne."

    def handle(self, *args: Any, **options: Any) -> None:
        os.umask(settings.UMASK)
        refuse_address()
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        password = self.ready_account()
        local_url, *other_urls = settings.SITE_URLS
        self.stdout.write(f"URL: {local_url}/")
        for url in other_urls:
            self.stdout.write(f"From other machines: {url}/")
        self.stdout.write(f"Name: {NAME}")
        self.stdout.write(f"Password: {password}")
        self.stdout.write(f"Model: {model_text()}")
        self.stdout.flush()
        os.execv(sys.executable, daphne_command())  # noqa: S606  our own interpreter

    def ready_account(self) -> str:
        """The password if the account is created now, otherwise where to find it."""
        path = settings.DATA_DIR / "password"
        user, created = User.objects.get_or_create(
            username=NAME, defaults={"is_staff": True, "is_superuser": True}
        )
        if not created:
            return self.known_password(user, path)
        password = secrets.token_urlsafe(9)
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(password + "\n", encoding="utf-8")
        user.set_password(password)
        user.save(update_fields=["password"])
        return password

    def known_password(self, user: User, path: Path) -> str:
        """Where the password is; not the password itself, because output ends up in logs."""
        password = path.read_text(encoding="utf-8").strip() if path.exists() else ""
        if password and user.check_password(password):
            return f"unchanged, in {path}"
        return "(changed since; manage.py changepassword studio sets a new one)"


def model_text() -> str:
    if services.uses_demo_model():
        return "demo model (set XINFERENCE_URL for a real one)"
    return settings.MODEL_SERVER or "servers of the admin"


def refuse_address() -> None:
    """Raise CommandError if HOST and PORT cannot be bound; Daphne would exit with status 0."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            settings.HOST, settings.PORT, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        hint = {
            errno.EADDRINUSE: "Another program listens there. Type PORT=8001",
            errno.EACCES: "Ports below 1024 are for root. Type PORT=8000",
        }.get(error.errno or 0, "HOST must be an address of this machine. Type HOST=127.0.0.1")
        raise CommandError(
            f"Cannot listen on HOST={settings.HOST}, PORT={settings.PORT}: {error.strerror}. {hint}"
        ) from error


def daphne_command() -> list[str]:
    return [
        sys.executable,
        "-m",
        "daphne",
        "-v",
        "0",
        "-b",
        settings.HOST,
        "-p",
        str(settings.PORT),
        "--ping-interval",
        "20",
        "--ping-timeout",
        "20",
        "liujuan_site.asgi:application",
    ]
