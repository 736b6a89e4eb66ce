"""What an account consists of, for its user: no secrets and no digests of them."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.auth.models import User

from accounts.models import ApiToken
from accounts.profiles import profile_of


def personal_data(user: User) -> dict[str, Any]:
    """The account, its addresses, second factors, sessions and tokens."""
    of_user = {"user": user}
    return {
        "username": user.get_username(),
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "date_joined": user.date_joined,
        "last_login": user.last_login,
        "is_staff": user.is_staff,
        "is_superuser": user.is_superuser,
        "groups": list(user.groups.order_by("name").values_list("name", flat=True)),
        "profile": {
            name: getattr(profile_of(user), name, "")
            for name in ("shown_name", "language", "theme", "time_zone")
        },
        "email_addresses": rows(EmailAddress.objects.filter(**of_user), "email", "verified"),
        "second_factors": rows(
            Authenticator.objects.filter(**of_user), "type", "created_at", "last_used_at"
        ),
        "sessions": rows(
            UserSession.objects.filter(**of_user), "created_at", "last_seen_at", "ip", "user_agent"
        ),
        "tokens": rows(
            ApiToken.objects.filter(owner=user),
            *("name", "scope", "created", "last_used", "expires_at"),
        ),
        "connections": connections(user),
    }


def connections(user: User) -> list[dict[str, Any]]:
    """Accounts at the OpenID provider, with what it says of the user."""
    if not apps.is_installed("allauth.socialaccount"):
        return []
    from allauth.socialaccount.models import SocialAccount

    found = SocialAccount.objects.filter(user=user)
    return rows(found, "uid", "extra_data", "date_joined", "last_login")


def rows(found: Any, *fields: str) -> list[dict[str, Any]]:
    return list(found.order_by("pk").values(*fields))
