"""The app `accounts`."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        # the other two connect their receivers
        from accounts import (
            allauth_names,
            credential_changes,  # noqa: F401
            signal_receivers,  # noqa: F401
        )

        allauth_names.name_models()
