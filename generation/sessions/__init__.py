"""What a person says and is answered, whatever carries it: who he is, his messages, his pace."""

from __future__ import annotations

from generation.sessions.authentication import (
    ConnectionRejected,
    Credentials,
    bearer_token,
    credentials_of,
    session_credentials,
)
from generation.sessions.rate_limit import (
    TokenBucket,
    TokenBuckets,
    allows_request,
    owner_buckets,
    request_buckets,
)
from generation.sessions.revalidation import Revalidation
from generation.sessions.session import Principal, Session, Subscriber
from generation.sessions.sign_in import SignInThrottled, check_password
from generation.sessions.token_authentication import TokenThrottled, user_of_token

__all__ = [
    "ConnectionRejected",
    "Credentials",
    "Principal",
    "Revalidation",
    "Session",
    "SignInThrottled",
    "Subscriber",
    "TokenBucket",
    "TokenBuckets",
    "TokenThrottled",
    "allows_request",
    "bearer_token",
    "check_password",
    "credentials_of",
    "owner_buckets",
    "request_buckets",
    "session_credentials",
    "user_of_token",
]
