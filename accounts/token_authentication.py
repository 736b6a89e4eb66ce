"""Authentication by API token, with a limit on bad tokens.

Tokens cannot be guessed; the limit protects the database from floods. Recently used valid tokens
are exempt, however many bad ones come from their address.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from django.utils import timezone

from accounts import tokens
from accounts.client_address import client_network
from accounts.models import ApiToken
from accounts.security_log import SecurityEvent, log_event
from accounts.throttle import Throttle
from accounts.token_hashing import digest_of

TOKEN_LIMIT = Throttle(name="token-address", free=30, longest=60, shared=False)

MAX_TOKENS = 1_000
"""Digests of valid tokens that a process keeps."""


class TokenThrottled(Exception):
    """Too many bad tokens from this address; `wait`: seconds until the next is checked."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"wait {wait:.0f} s")
        self.wait = wait


class ValidTokens:
    """Digests of the valid tokens that were used last."""

    def __init__(self) -> None:
        self.digests: OrderedDict[str, None] = OrderedDict()
        # views run in several threads
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


def authenticate_token(token: str, *, address: str) -> ApiToken | None:
    """The token, whose owner may be disabled, or None; raises TokenThrottled."""
    digest, network = digest_of(token), client_network(address)
    wait = 0.0 if digest in valid_tokens else TOKEN_LIMIT.wait(network)
    if wait:
        raise TokenThrottled(wait)
    row = tokens.valid_token(token=token, now=timezone.now(), address=address)
    if row is None:
        valid_tokens.remove(digest)
        TOKEN_LIMIT.hit(network)
        log_event(SecurityEvent.TOKEN_REFUSED, account=None, address=address)
    else:
        valid_tokens.add(digest)
    return row
