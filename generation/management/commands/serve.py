"""`manage.py serve`: everything in one process, with a ready account."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand

NAME = "studio"


class Command(BaseCommand):
    help = "Migrate, make a ready account, print where to go, and serve with Daphne."

    def handle(self, *args: Any, **options: Any) -> None:
        os.umask(settings.UMASK)
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        password = self.ready_account()
        model = settings.XINFERENCE_URL or "demo model (set XINFERENCE_URL for a real one)"
        host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
        url = settings.PUBLIC_URL or f"http://{host}:{settings.PORT}"
        self.stdout.write(f"URL: {url}/")
        self.stdout.write(f"Name: {NAME}")
        self.stdout.write(f"Password: {password}")
        self.stdout.write(f"Model: {model}")
        self.stdout.flush()
        os.execv(sys.executable, daphne_command())  # noqa: S606  our own interpreter

    def ready_account(self) -> str:
        """The password of the account, which is made if it does not exist."""
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
        password = path.read_text(encoding="utf-8").strip() if path.exists() else ""
        if password and user.check_password(password):
            return password
        return "(changed since; manage.py changepassword studio sets a new one)"


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
