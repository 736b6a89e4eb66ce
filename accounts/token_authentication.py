"""Tokens of programs: looked up, logged, and refused without a query after many bad ones.

A token cannot be guessed; the limit keeps a flood of bad ones from the database. A token that was
good lately passes however many bad ones its address sends.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from django.utils import timezone

from accounts import tokens
from accounts.client_address import client_network
from accounts.security_log import SecurityEvent, log_event
from accounts.throttle import Throttle
from accounts.token_hashing import digest_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

TOKEN_LIMIT = Throttle(name="token-address", free=30, longest=60, shared=False)

MAX_TOKENS = 1_000
"""Digests of good tokens that a process keeps."""


class TokenThrottled(Exception):
    """Too many bad tokens from this address; `wait` seconds until the next is looked up."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"wait {wait:.0f} s")
        self.wait = wait


class ValidTokens:
    """Digests of tokens that were good, those of the last uses."""

    def __init__(self) -> None:
        self.digests: OrderedDict[str, None] = OrderedDict()
        # views run in threads of their own
        self.lock = Lock()

    def __contains__(self, digest: str) -> bool:
        return digest in self.digests

    def add(self, digest: str) -> None:
        with self.lock:
            self.digests[digest] = None
            self.digests.move_to_end(digest)
            if len(self.digests) > MAX_TOKENS:
                self.digests.popitem(last=False)

    def remove(self, digest: str) -> None:
        with self.lock:
            self.digests.pop(digest, None)


valid_tokens = ValidTokens()
"""This process's."""


def user_of_token(token: str, *, address: str) -> User | None:
    """The token's owner, active or not, or None; raises TokenThrottled."""
    digest, network = digest_of(token), client_network(address)
    wait = 0.0 if digest in valid_tokens else TOKEN_LIMIT.wait(network)
    if wait:
        raise TokenThrottled(wait)
    user = tokens.user_of_token(token=token, now=timezone.now(), address=address)
    if user is None:
        valid_tokens.remove(digest)
        TOKEN_LIMIT.hit(network)
        log_event(SecurityEvent.TOKEN_REFUSED, account=None, address=address)
    else:
        valid_tokens.add(digest)
    return user
