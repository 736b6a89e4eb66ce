"""The app and its start-up wiring."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GenerationConfig(AppConfig):
    name = "generation"
    verbose_name = _("Picture generation")

    def ready(self) -> None:
        from accounts.credential_changes import credentials_changed
        from generation import checks  # noqa: F401  registers the system checks

        credentials_changed.connect(publish_credentials)


def publish_credentials(*, user_id: int, **_: Any) -> None:
    # imported here: most commands never publish anything
    from generation import broadcast

    broadcast.publish_credentials(owner_id=user_id)
