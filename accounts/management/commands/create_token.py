"""`manage.py create_token USERNAME`: a token for programs."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.tokens import create_token


class Command(BaseCommand):
    help = "Print a new API token for USERNAME, and nothing else. It is stored hashed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="", help="what it is for, as the admin shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            owner = User.objects.get_by_natural_key(options["username"])
        except User.DoesNotExist as error:
            raise CommandError(f"no such user: {options['username']}") from error
        token = create_token(owner=owner, name=options["name"], now=timezone.now())
        self.stdout.write(token)
