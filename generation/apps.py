"""The app and its start-up wiring."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class GenerationConfig(AppConfig):
    name = "generation"
    verbose_name = _("Picture generation")

    def ready(self) -> None:
        from accounts.credential_changes import credentials_changed
        from generation import checks, search_index  # noqa: F401  registers the system checks

        post_migrate.connect(search_index.after_migrate, sender=self)
        credentials_changed.connect(publish_credentials)


def publish_credentials(*, user_id: int, **_: Any) -> None:
    # imported here: most commands never publish anything
    from generation import broadcast

    broadcast.publish_credentials(owner_id=user_id)
