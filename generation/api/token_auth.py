"""Programs sign in with an API token; cookies are ignored, so that no form token is needed."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja.security.http import HttpAuthBase

from accounts.client_address import client_address
from generation.protocol.close_codes import CloseCode
from generation.sessions import ConnectionRejected, Credentials, allows_request, bearer_token


class TokenAuth(HttpAuthBase):
    """Sets `request.user`; `request.auth` are the credentials."""

    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> object:
        return self.authenticate(request)

    async def authenticate(self, request: HttpRequest) -> Credentials:
        """Raises ConnectionRejected."""
        token = bearer_token(request.headers.get("Authorization", ""))
        if token is None:
            raise ConnectionRejected(CloseCode.NOT_SIGNED_IN)
        credentials = Credentials(token=token, session_key=None, address=client_address(request))
        user = await credentials.user()
        if not allows_request(user.pk):
            raise ConnectionRejected(CloseCode.FLOODING)
        request.user = user
        return credentials


def user_of(request: HttpRequest) -> User:
    """The user of the token."""
    return cast("User", request.user)


def credentials_of(request: HttpRequest) -> Credentials:
    credentials: Credentials = request.auth  # type: ignore[attr-defined]
    return credentials
