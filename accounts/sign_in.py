"""Checks of passwords, with limits: for signing in and for changing the password."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from allauth.account.models import EmailAddress
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import PermissionDenied

from accounts.client_address import UNKNOWN, client_address, client_network
from accounts.fair_semaphore import FairSemaphore, SemaphoreFull
from accounts.security_log import SecurityEvent, log_event
from accounts.session_sql import account_by_id
from accounts.throttle import Throttle

if TYPE_CHECKING:
    from django.http import HttpRequest

T = TypeVar("T")

ACCOUNT_LIMIT = Throttle(name="sign-in-account", free=5, longest=300)
"""Names without an account are counted too, so that the answer does not say which exist."""

ADDRESS_LIMIT = Throttle(name="sign-in-address", free=30, longest=60)
"""Many people may share an address, so successes are not counted."""

FAMILIAR_SECONDS = 30 * 86_400
"""Seconds for which an account remembers an address. Attempts from there are counted apart, so that
attacks from elsewhere do not lock out the owner."""

HASHING_THREADS = max(1, (os.cpu_count() or 1) // 2)
"""Passwords that are hashed at once, 270 ms of CPU time each; the rest is for the pages."""

HASHING_TIMEOUT = 5.0
"""Seconds that a sign-in waits to be hashed."""

MAX_WAITING = 32
"""Sign-ins that wait; each holds a thread."""


class SignInThrottled(Exception):
    """Too many attempts; `wait`: seconds until the next one, 0 if the server is busy."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"wait {wait:.0f} s")
        self.wait = wait


hashing_semaphore = FairSemaphore(HASHING_THREADS, MAX_WAITING, HASHING_TIMEOUT)
"""This process's."""


def username_of(login: str) -> str:
    """The name of the account that has verified the e-mail address `login`, or `login` itself.

    The name is found first and one password is hashed, so that the time does not show which
    addresses exist.
    """
    if "@" not in login:
        return login
    found = EmailAddress.objects.filter(email=login.lower(), verified=True)
    name: str | None = found.values_list("user__username", flat=True).first()
    return name or login


class PasswordBackend(ModelBackend):
    """Django's backend with limits and a log line per attempt; also takes e-mail addresses.

    A refusal is final: Django tries no other backend.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Raises SignInThrottled, or PermissionDenied for a wrong name or password."""
        if username is None:
            username = kwargs.get(get_user_model().USERNAME_FIELD)
        if username is None or password is None:
            return None
        attempt = SignInAttempt(username, client_address(request) if request else UNKNOWN)

        def check() -> User | None:
            return super(PasswordBackend, self).authenticate(request, attempt.username, password)

        user = attempt.verify(check)
        if user is None:
            raise PermissionDenied
        return user

    def get_user(self, user_id: int) -> User | None:
        """The active user, read with its profile and requested deletion, which pages show."""
        user = account_by_id(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        return await sync_to_async(self.authenticate)(request, username, password, **kwargs)


def check_password(request: HttpRequest, user: User, password: str, *, purpose: str) -> bool:
    """Whether it is the password of the signed-in `user`; raises SignInThrottled.

    Limited like a sign-in: a stolen session must not be a way to guess the password.
    """
    attempt = SignInAttempt(user.get_username(), client_address(request), purpose=purpose)
    return attempt.verify(partial(user.check_password, password))


class SignInAttempt:
    """One attempt to sign in as `name` from `address`, for the limits and the log."""

    def __init__(self, name: str, address: str, **details: object) -> None:
        """`details`: values of the log line."""
        self.name = name
        self.address = address
        self.details = details
        self.network = client_network(address)
        self.username = name
        self.account = self.familiar_key = ""

    def verify(self, check: Callable[[], T]) -> T:
        """The result of `check`, falsy for a wrong password; raises SignInThrottled."""
        self.begin()
        try:
            with hashing_semaphore.held_by(self.network):
                found = check()
        except SemaphoreFull as error:
            self.withdraw()
            raise SignInThrottled(0) from error
        if found:
            self.succeed()
        else:
            self.log(SecurityEvent.SIGN_IN_REFUSED)
        return found

    def begin(self) -> None:
        """Count the attempt; raises SignInThrottled."""
        wait = ADDRESS_LIMIT.hit(self.network)
        if not wait:
            self.identify()
            wait = ACCOUNT_LIMIT.hit(self.account)
            if wait:
                ADDRESS_LIMIT.undo_hit(self.network)
        if wait:
            self.log(SecurityEvent.SIGN_IN_THROTTLED, wait=f"{wait:.0f}")
            raise SignInThrottled(wait)

    def identify(self) -> None:
        """Find the account, so that guesses by its name and by its address count together."""
        self.username = username_of(self.name)
        account = self.username.casefold()
        pair = f"{account}\n{self.network}"
        self.familiar_key = f"familiar:{ACCOUNT_LIMIT.key_of(pair)}"
        self.account = pair if cache.get(self.familiar_key) else account

    def withdraw(self) -> None:
        """Undo the count: the password was not checked."""
        ADDRESS_LIMIT.undo_hit(self.network)
        ACCOUNT_LIMIT.undo_hit(self.account)
        self.log(SecurityEvent.SIGN_IN_THROTTLED, wait="busy")

    def succeed(self) -> None:
        ADDRESS_LIMIT.undo_hit(self.network)
        ACCOUNT_LIMIT.reset(self.account)
        cache.set(self.familiar_key, 1, timeout=FAMILIAR_SECONDS)
        self.log(SecurityEvent.PASSWORD_OK)

    def log(self, event: SecurityEvent, **details: object) -> None:
        log_event(event, account=self.name, address=self.address, **self.details, **details)
