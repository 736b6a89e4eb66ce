"""What a person says and is answered, whatever carries it: who he is, his messages, his pace."""

from __future__ import annotations

from generation.conversation.conversation import Conversation, Following, Visitor
from generation.conversation.credentials import (
    Credentials,
    Refused,
    credentials_of,
    our_session,
    token_in,
)
from generation.conversation.flood import Bucket, Buckets, buckets
from generation.conversation.standing import Standing

__all__ = [
    "Bucket",
    "Buckets",
    "Conversation",
    "Credentials",
    "Following",
    "Refused",
    "Standing",
    "Visitor",
    "buckets",
    "credentials_of",
    "our_session",
    "token_in",
]
