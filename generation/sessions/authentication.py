"""Authentication of connections: programs by token, browsers by session cookie and origin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from types import SimpleNamespace
from typing import Any, cast

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user
from django.contrib.auth.models import User
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.utils.module_loading import import_string

from accounts.client_address import UNKNOWN, client_address
from accounts.credentials import HeldCredential, SignedIn
from accounts.models import TokenScope
from accounts.second_factor import lacks_second_factor
from accounts.security_log import SecurityEvent, log_event, log_foreign_host
from accounts.token_authentication import TokenThrottled, authenticate_token
from accounts.tokens import is_token
from generation.protocol.close_codes import CloseCode
from generation.sessions.origin import is_same_origin

BEARER = re.compile(r"(?:^|,)[ \t]*bearer[ \t]+([^\s,]+)[ \t]*(?=,|$)", re.IGNORECASE)


class ConnectionRejected(Exception):
    """The connection must be closed with `close_code`."""

    def __init__(self, close_code: CloseCode) -> None:
        super().__init__(close_code.name)
        self.close_code = close_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Token or session key of a connection, and its address; checked again while it is open."""

    token: str | None = field(repr=False)
    session_key: str | None = field(repr=False)
    address: str

    async def sign_in(self) -> SignedIn:
        """The active user of these credentials; raises ConnectionRejected."""
        return await database_sync_to_async(self.authenticate)()

    def authenticate(self) -> SignedIn:
        found = self.token_user() if self.token is not None else self.session_user()
        if found is None:
            raise ConnectionRejected(CloseCode.NOT_SIGNED_IN)
        if not found.user.is_active:
            log_event(
                SecurityEvent.PERMISSION_REFUSED,
                account=found.user.get_username(),
                address=self.address,
                reason="disabled",
            )
            raise ConnectionRejected(CloseCode.REFUSED)
        if lacks_second_factor(found.user):
            log_event(
                SecurityEvent.PERMISSION_REFUSED,
                account=found.user.get_username(),
                address=self.address,
                reason="no second factor",
            )
            raise ConnectionRejected(CloseCode.REFUSED)
        return found

    def token_user(self) -> SignedIn | None:
        try:
            token = authenticate_token(self.token or "", address=self.address)
        except TokenThrottled as throttled:
            raise ConnectionRejected(CloseCode.FLOODING) from throttled
        if token is None:
            return None
        credential = HeldCredential(
            user_id=token.owner_id,
            key=token.digest,
            is_token=True,
            password=token.owner.password,
            may_write=token.scope == TokenScope.WRITE,
        )
        return SignedIn(token.owner, credential, self.address)

    def session_user(self) -> SignedIn | None:
        store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(self.session_key)
        found = get_user(cast("Any", SimpleNamespace(session=store)))
        user = found if isinstance(found, User) else disabled_user(store.get(SESSION_KEY))
        if user is None:
            return None
        credential = HeldCredential(
            user_id=user.pk,
            key=self.session_key or "",
            is_token=False,
            password=user.password,
        )
        return SignedIn(user, credential, self.address)


def disabled_user(key: str | None) -> User | None:
    """The disabled account of a session, for which `get_user` returns AnonymousUser."""
    return User.objects.filter(pk=key, is_active=False).first() if key else None


def credentials_of(scope: dict[str, Any]) -> Credentials:
    """Credentials from the headers of a WebSocket handshake.

    With an API token, Origin and cookies are ignored. A cookie is accepted only with our own
    Origin. Other content of Authorization belongs to a proxy in front. Raises ConnectionRejected
    for a foreign host or origin, and without TLS if HTTPS=1.
    """
    address = client_address(scope)
    request = as_request(scope)
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    refuse_foreign_host(request, address)
    if settings.HTTPS and not request.is_secure():
        log_event(SecurityEvent.PERMISSION_REFUSED, account=None, address=address, reason="no TLS")
        raise ConnectionRejected(CloseCode.REFUSED)
    authorization = headers.get(b"authorization", "")
    token = bearer_token(authorization)
    if token is not None:
        return Credentials(token=token, session_key=None, address=address)
    credentials = session_credentials(request.COOKIES, address=address)
    if authorization and credentials.session_key is None:
        raise ConnectionRejected(CloseCode.NOT_SIGNED_IN)
    if not is_same_origin(scope, headers):
        log_event(
            SecurityEvent.PERMISSION_REFUSED,
            account=None,
            address=address,
            origin=headers.get(b"origin"),
        )
        raise ConnectionRejected(CloseCode.REFUSED)
    return credentials


def as_request(scope: dict[str, Any]) -> ASGIRequest:
    """The handshake as an HTTP request, so that Django reads cookies, host and TLS from it."""
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    page = {"method": "GET", "scheme": scheme, "query_string": b""}
    return ASGIRequest({**scope, **page}, BytesIO())


def refuse_foreign_host(request: ASGIRequest, address: str) -> None:
    try:
        request.get_host()
    except DisallowedHost as error:
        log_foreign_host(request.META.get("HTTP_HOST"), address)
        raise ConnectionRejected(CloseCode.REFUSED) from error


def bearer_token(authorization: str) -> str | None:
    """The API token in an Authorization header, or None.

    Several such headers arrive as one, joined by commas: a proxy may have added its own.
    """
    return next(filter(is_token, BEARER.findall(authorization)), None)


def session_credentials(cookies: Mapping[str, str], *, address: str = UNKNOWN) -> Credentials:
    """Credentials of an HTTP request.

    Origin is not checked: the same-origin policy hides responses from other sites, and the CSRF
    check protects changes.
    """
    session_key = cookies.get(settings.SESSION_COOKIE_NAME)
    return Credentials(token=None, session_key=session_key, address=address)
