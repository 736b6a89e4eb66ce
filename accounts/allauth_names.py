"""Names of allauth's models and columns in the admin; allauth gives them none to translate."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

MODELS: dict[type[Model], tuple[Any, Any]] = {
    Authenticator: (_("second factor"), _("second factors")),
    UserSession: (_("session"), _("sessions")),
}
COLUMNS = {
    "user": _("user"),
    "type": _("kind"),
    "created_at": _("created"),
    "last_used_at": _("last used"),
    "last_seen_at": _("last seen"),
    "ip": _("IP address"),
    "user_agent": _("browser"),
}


def name_models() -> None:
    """Set the names on the loaded models. Migrations compare the original ones."""
    for model, (singular, plural) in MODELS.items():
        model._meta.verbose_name, model._meta.verbose_name_plural = singular, plural
    named = [*MODELS]
    if apps.is_installed("allauth.socialaccount"):
        from allauth.socialaccount.models import SocialAccount

        named.append(SocialAccount)
    for model in named:
        for field in model._meta.local_concrete_fields:
            if field.name in COLUMNS:
                field.verbose_name = COLUMNS[field.name]
