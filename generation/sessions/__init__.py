"""Sessions: authentication, client messages and rate limits, the same for every transport."""

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
from generation.sessions.request_limit import count_request, counted_requests
from generation.sessions.session import Session
from generation.sessions.task_watch import CONTINUES, TaskWatch, admitted, watching

__all__ = [
    "CONTINUES",
    "ConnectionRejected",
    "Credentials",
    "Session",
    "TaskWatch",
    "TokenBucket",
    "TokenBuckets",
    "admitted",
    "allows_request",
    "bearer_token",
    "count_request",
    "counted_requests",
    "credentials_of",
    "owner_buckets",
    "request_buckets",
    "session_credentials",
    "watching",
]
