"""`manage.py reset_link`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError, CommandParser

from accounts.reset_links import create_reset_link


class Command(BaseCommand):
    help = "Print a link with which the user of an account sets a new password, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no account named {username}.")
        if not user.is_active:
            raise CommandError(f"The account {username} is disabled.")
        self.stdout.write(create_reset_link(user))
