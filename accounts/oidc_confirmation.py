"""Confirmations at the OpenID provider, which must ask for proof again."""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest

PROOF_SECONDS = 300
"""Seconds for which a sign-in counts as a confirmation for accounts that cannot give another."""

ASK_AGAIN = {"prompt": "login", "max_age": "0"}
"""Parameters of OpenID Connect: a session at the provider is not enough."""

REQUESTED = {"confirmation": True}
"""Kept in the state of a sign-in that was begun with `ASK_AGAIN`."""

CONFIRMED_AT = "oidc_confirmed_at"


def remember(request: HttpRequest, sociallogin: Any) -> None:
    """Note in the session that the user gave proof at the provider, if that was so."""
    if sociallogin.state.get("data") == REQUESTED and is_fresh(sociallogin.account.extra_data):
        request.session[CONFIRMED_AT] = time.time()


def is_fresh(claims: dict[str, Any]) -> bool:
    """Whether `auth_time`, where the provider sends it, says that it has asked just now."""
    told = (claims.get("id_token") or {}).get("auth_time")
    return told is None or (isinstance(told, int | float) and is_recent(told))


def was_given(request: HttpRequest) -> bool:
    return is_recent(request.session.get(CONFIRMED_AT, 0))


def is_recent(moment: float) -> bool:
    return time.time() - moment < PROOF_SECONDS
