"""Profiles of users: read without a query where the user was read by its session, and changed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpResponseBase

from accounts.models import Profile

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

REGIONS = (
    *("Africa", "America", "Antarctica", "Asia", "Atlantic"),
    *("Australia", "Europe", "Indian", "Pacific"),
)
"""First parts of the names of time zones that are those of places."""

UNIVERSAL = "UTC"

YEAR = 365 * 86_400
"""Seconds."""


def profile_of(user: User | AnonymousUser) -> Profile | None:
    """None for the anonymous user, and for a user without one."""
    profile: Profile | None = getattr(user, "profile", None)
    return profile


def shown_name(user: User) -> str:
    """The name that others see."""
    profile = profile_of(user)
    return (profile and profile.shown_name) or user.get_username()


def full_name(user: User) -> str:
    """The shown name with the username, for staff: a user may choose any shown name."""
    name, username = shown_name(user), user.get_username()
    return username if name == username else f"{name} ({username})"


def change_profile(user: User, **values: Any) -> Profile:
    profile, _created = Profile.objects.update_or_create(user=user, defaults=values)
    user.profile = profile
    return profile


def keep_language(response: HttpResponseBase, language: str) -> None:
    """Set the cookie of the language, or delete it so that the browser decides."""
    name, path = settings.LANGUAGE_COOKIE_NAME, settings.LANGUAGE_COOKIE_PATH
    if language:
        response.set_cookie(name, language, YEAR, path=path, secure=settings.HTTPS, samesite="Lax")
    else:
        response.delete_cookie(name, path, samesite="Lax")


@lru_cache(maxsize=1)
def zones_of_regions() -> dict[str, list[str]]:
    """Region → names of its time zones."""
    names = sorted(available_timezones())
    return {region: [n for n in names if n.startswith(f"{region}/")] for region in REGIONS}


def is_time_zone(name: str) -> bool:
    return name == UNIVERSAL or any(name in names for names in zones_of_regions().values())


def zone_of(user: User | AnonymousUser) -> ZoneInfo | None:
    """The time zone that the user has chosen; None also if this machine does not know it."""
    profile = profile_of(user)
    if profile is None or not profile.time_zone or not is_time_zone(profile.time_zone):
        return None
    return ZoneInfo(profile.time_zone)
