"""The way to the OpenID provider and back.

allauth's views can be imported only if OIDC_SERVER is set.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps

from allauth.account.utils import get_next_redirect_url
from allauth.core.ratelimit import respond_429
from allauth.socialaccount.adapter import get_adapter
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from accounts.client_address import client_address, client_network
from accounts.oidc_adapter import PROVIDER_ID, cause_of, failed, log_failure
from accounts.oidc_confirmation import ASK_AGAIN, REQUESTED
from accounts.throttle import Throttle

View = Callable[[HttpRequest, str], HttpResponse]

BEGIN_LIMIT = Throttle(name="oidc-begin", free=30, longest=60)
"""Sign-ins that one network begins: each one asks the provider for its addresses."""

UNUSABLE = (RequestException, KeyError, TypeError, ValueError, IntegrityError)
"""An answer of the provider that is missing or not what OpenID Connect says; IntegrityError: the
same new account in two windows at once."""

PASSED_ON = {"process": re.compile("connect"), "next": re.compile(".*")}
"""Parameters that allauth may read; with others a link could change the request to the provider."""


def with_error_pages(view: View) -> View:
    @wraps(view)
    def wrapped(request: HttpRequest, provider_id: str) -> HttpResponse:
        try:
            return view(request, provider_id)
        except UNUSABLE as error:
            log_failure(request, cause_of(error, request))
            return failed(request, error)

    return wrapped


@require_POST
@never_cache
@with_error_pages
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider by a page instead of a redirect.

    The policy `form-action` also holds for redirects after a form, and providers redirect further.
    """
    if BEGIN_LIMIT.hit(network_of(request)):
        too_many: HttpResponse = respond_429(request)
        return too_many
    asked = {name: request.GET.get(name, "") for name in PASSED_ON}
    kept = {name: asked[name] for name, form in PASSED_ON.items() if form.fullmatch(asked[name])}
    request.GET = QueryDict(urlencode(kept))
    if request.user.is_authenticated and "process" not in kept and provider_id == PROVIDER_ID:
        response = ask_again(request)
    else:
        from allauth.socialaccount.providers.openid_connect import views

        response = views.login(request, provider_id)
    if response.status_code == 302:
        return render(request, "account/oidc_leave.html", {"target": response["Location"]})
    return response


def ask_again(request: HttpRequest) -> HttpResponse:
    """Begin the sign-in by which a signed-in user confirms that an open browser is theirs."""
    provider = get_adapter(request).get_provider(request, PROVIDER_ID)
    response: HttpResponse = provider.redirect(
        request,
        process="login",
        next_url=get_next_redirect_url(request),
        data=dict(REQUESTED),
        auth_params=dict(ASK_AGAIN),
    )
    return response


@require_GET
@never_cache
@with_error_pages
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Sign in, or connect the account, with the code that the provider has sent along."""
    from allauth.socialaccount.providers.openid_connect import views

    response: HttpResponse = views.callback(request, provider_id)
    if response.status_code == 302 and request.user.is_authenticated:
        # many people may share an address, so successes are not counted
        BEGIN_LIMIT.undo_hit(network_of(request))
    return response


def network_of(request: HttpRequest) -> str:
    return client_network(client_address(request))
