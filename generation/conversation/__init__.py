"""What a person says and is answered, whatever carries it: who he is, his messages, his pace."""

from __future__ import annotations

from generation.conversation.conversation import Conversation, Following, hello_frame
from generation.conversation.credentials import Credentials, Refused, credentials_of, our_session
from generation.conversation.flood import Bucket, Buckets
from generation.conversation.standing import Standing

__all__ = [
    "Bucket",
    "Buckets",
    "Conversation",
    "Credentials",
    "Following",
    "Refused",
    "Standing",
    "credentials_of",
    "hello_frame",
    "our_session",
]
