"""`manage.py delete_account USERNAME`: delete an account and everything that it owns."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.admin_log import DELETED_ACCOUNT
from generation import services
from generation.clock import clock
from generation.models import GenerationTask

POLL_INTERVAL = 0.5


class Command(BaseCommand):
    help = (
        "Say what would be deleted with the account USERNAME; with --yes, disable it, end its "
        "tasks and delete it with its tasks, logs, pictures, share links and tokens."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--yes", action="store_true", help="really delete")
        parser.add_argument(
            "--wait", type=float, default=60.0, help="seconds for tasks that are being drawn"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(options["username"])
        except User.DoesNotExist as error:
            raise CommandError(f"no such user: {options['username']}") from error
        if user.username == DELETED_ACCOUNT:
            raise CommandError("this user keeps the admin's log of deleted accounts")
        self.stdout.write(f"Tasks: {GenerationTask.objects.filter(owner=user).count()}")
        if not options["yes"]:
            self.stdout.write("Nothing was deleted. Add --yes to delete them and the account.")
            return
        clock.synchronise()
        self.end_tasks(user, patience=options["wait"])
        while services.delete_account(user=user):
            pass
        if User.objects.filter(pk=user.pk).exists():
            raise CommandError("a slot is still held for one of its tasks: run this again later")
        self.stdout.write("Deleted.")

    def end_tasks(self, user: User, *, patience: float) -> None:
        """Disable the account and wait until all its tasks have ended.

        Raises CommandError after `patience` seconds.
        """
        deadline = time.monotonic() + patience
        while unfinished := services.close_account(user=user, now=clock.now()):
            if time.monotonic() > deadline:
                raise CommandError(
                    f"Unfinished tasks: {unfinished}. The account is disabled; run this again "
                    "when a worker has ended them."
                )
            time.sleep(POLL_INTERVAL)
