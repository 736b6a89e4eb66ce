"""What a person says and is answered, whatever carries it: who he is, his messages, his pace."""

from __future__ import annotations

from generation.sessions.authentication import (
    Credentials,
    Refused,
    credentials_of,
    our_session,
    token_in,
)
from generation.sessions.rate_limit import Bucket, Buckets, all_buckets, buckets, may_ask
from generation.sessions.revalidation import Standing
from generation.sessions.session import Conversation, Following, Visitor
from generation.sessions.sign_in import SignInThrottled, check_password
from generation.sessions.token_authentication import TokenThrottled, user_of_token

__all__ = [
    "Bucket",
    "Buckets",
    "Conversation",
    "Credentials",
    "Following",
    "Refused",
    "SignInThrottled",
    "Standing",
    "TokenThrottled",
    "Visitor",
    "all_buckets",
    "buckets",
    "check_password",
    "credentials_of",
    "may_ask",
    "our_session",
    "token_in",
    "user_of_token",
]
