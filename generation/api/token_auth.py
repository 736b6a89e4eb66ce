"""Programs sign in with an API token; cookies are ignored, so that no form token is needed."""

from __future__ import annotations

from typing import cast

from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja.security.http import HttpAuthBase

from accounts.client_address import client_address
from accounts.credentials import SignedIn
from accounts.models import ApiToken
from generation.clock import clock
from generation.exceptions import ScopeMissing
from generation.protocol.close_codes import CloseCode
from generation.sessions import (
    ConnectionRejected,
    Credentials,
    allows_request,
    bearer_token,
    count_request,
)


class TokenAuth(HttpAuthBase):
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> object:
        return self.authenticate(request)

    async def authenticate(self, request: HttpRequest) -> SignedIn:
        """Raises what `sign_in` does, and ScopeMissing for a change with a token that may read."""
        signed_in = await sign_in(request)
        if request.method != "GET" and not signed_in.credential.may_write:
            raise ScopeMissing
        return signed_in


async def sign_in(request: HttpRequest) -> SignedIn:
    """Sign in by the token and count the request; raises ConnectionRejected and LimitReached."""
    token = bearer_token(request.headers.get("Authorization", ""))
    if token is None:
        raise ConnectionRejected(CloseCode.NOT_SIGNED_IN)
    credentials = Credentials(token=token, session_key=None, address=client_address(request))
    signed_in = await credentials.sign_in()
    if not allows_request(signed_in.user.pk):
        raise ConnectionRejected(CloseCode.FLOODING)
    await database_sync_to_async(count_request)(signed_in.user.pk, now=clock.now())
    request.user = signed_in.user
    request.auth = signed_in  # type: ignore[attr-defined]
    return signed_in


def user_of(request: HttpRequest) -> User:
    """The user of the token."""
    return cast("User", request.user)


def token_of(request: HttpRequest) -> ApiToken:
    """The row of the token; raises ConnectionRejected if it was revoked since the sign-in."""
    token = ApiToken.objects.filter(digest=signed_in_by(request).credential.key).first()
    if token is None:
        raise ConnectionRejected(CloseCode.NOT_SIGNED_IN)
    return token


def signed_in_by(request: HttpRequest) -> SignedIn:
    signed_in: SignedIn = request.auth  # type: ignore[attr-defined]
    return signed_in
