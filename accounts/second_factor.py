"""The second factor that MFA_STAFF demands of staff."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import redirect
from django.utils.deprecation import MiddlewareMixin

from accounts.client_address import parsed

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""Recovery codes alone are none: they are made together with one of these."""

ALWAYS_ALLOWED = frozenset(
    {
        "set_language",
        "account_theme",
        "javascript-catalog",
        "healthz",
        "readyz",
        "metrics",
        "account_login",
        "account_logout",
        "mfa_index",
        "mfa_activate_totp",
        "mfa_list_webauthn",
        "mfa_add_webauthn",
        # all that follow may be needed before a factor can be added, which asks for a confirmation
        "account_reauthenticate",
        "account_request_reauthentication_code",
        "account_confirm_reauthentication_code",
        "accounts.oidc_views.begin",
        "accounts.oidc_views.come_back",
        "account_change_password",
        "account_set_password",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        # no factor is added to an account with an address that is not confirmed
        "account_email",
        "account_email_verification_sent",
        "account_confirm_email",
    }
)
"""Names of the addresses, or of the view where an address has no name, that staff may use without
a second factor. All others are refused, new ones too."""


def lacks_second_factor(user: User) -> bool:
    """Whether the account may do nothing until it has a second factor."""
    return user.pk in without_second_factor([user])


def without_second_factor(users: Iterable[User]) -> set[int]:
    """Ids of those that may do nothing until they have a second factor; at most one query."""
    staff = {user.pk for user in users if user.is_staff} if settings.MFA_STAFF else set()
    if not staff:
        return set()
    factors = Authenticator.objects.filter(user__in=staff, type__in=FACTORS)
    return staff - set(factors.values_list("user", flat=True))


def passkeys_work(request: HttpRequest) -> bool:
    """Whether browsers allow passkeys at this address: HTTPS or localhost, and no IP address."""
    host, _port = split_domain_port(request.get_host())
    if parsed(host) is not None:
        return False
    return request.is_secure() or host == "localhost" or host.endswith(".localhost")


def passkey_url(request: HttpRequest) -> str:
    """The same page at localhost, if the browser asked for it by an address of this machine."""
    host, port = split_domain_port(request.get_host())
    address = parsed(host)
    if address is None or not address.is_loopback or request.is_secure():
        return ""
    return f"http://localhost:{port or 80}{request.get_full_path()}"


class SecondFactorMiddleware(MiddlewareMixin):
    """Redirects staff without a second factor from all other pages to the one that adds it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.MFA_STAFF:
            raise MiddlewareNotUsed
        super().__init__(get_response)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        assert match is not None
        if match.view_name in ALWAYS_ALLOWED:
            return None
        if request.user.is_authenticated and lacks_second_factor(request.user):
            return redirect("mfa_index")
        return None
