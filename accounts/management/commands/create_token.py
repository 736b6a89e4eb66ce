"""`manage.py create_token USERNAME`: a token for programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import TokenScope
from accounts.tokens import MAX_TOKENS_OF_USER, TooManyTokens, create_token

MAX_DAYS = 3_650


class Command(BaseCommand):
    help = "Print a new API token for USERNAME, and nothing else. It is stored hashed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="", help="what it is for, as the admin shows it")
        parser.add_argument("--read-only", action="store_true", help="it may change nothing")
        parser.add_argument("--days", type=int, help="it expires after so many days")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            owner = User.objects.get_by_natural_key(options["username"])
        except User.DoesNotExist as error:
            raise CommandError(f"no such user: {options['username']}") from error
        now, days = timezone.now(), options["days"]
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise CommandError(f"--days must be from 1 to {MAX_DAYS}")
        try:
            token = create_token(
                owner=owner,
                name=options["name"],
                now=now,
                scope=TokenScope.READ if options["read_only"] else TokenScope.WRITE,
                expires_at=None if days is None else now + timedelta(days=days),
            )
        except TooManyTokens as error:
            message = f"{owner} has {MAX_TOKENS_OF_USER} tokens: revoke one first"
            raise CommandError(message) from error
        self.stdout.write(token)
