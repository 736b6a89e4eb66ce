"""Responses with status 200 that no client can use, for the fault `nonsense`."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Callable

from demo_xinference.http import PAGE, Reply

DEPTH = 100_000
LISTS = 500_000
BOMB_BYTES = 64 * 1024 * 1024


class Nonsense(Exception):
    """`reply` is sent instead of the response."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.kind)
        self.reply = reply


def absurd(uid: str) -> Reply:
    """Bodies with the right fields and absurd values."""
    model = {
        "id": uid,
        "model_uid": uid,
        "model_ability": ["text2image"],
        "status": "READY",
        "replica": 10**9,
        "replica_statuses": "READY",
        "model_address": {"host": 1},
    }
    names = [{**model, "model_uid": name} for name in (uid, uid, "\ud800", "a\0b", "x" * 100_000)]
    fields = {"progress": 10**400, "msg": ["DONE"], "images": {"0": 1}, "data": names}
    return Reply(body=json.dumps(fields).encode())


@functools.cache
def packed_twice() -> bytes:
    return gzip.compress(gzip.compress(bytes(BOMB_BYTES)))


def bomb(uid: str) -> Reply:
    """64 MiB of zeros in some hundred bytes."""
    return Reply(body=packed_twice(), headers={"content-encoding": "gzip, gzip"})


KINDS: dict[str, Callable[[str], Reply]] = {
    "absurd": absurd,
    "bomb": bomb,
    "bytes": lambda uid: Reply(body=b"\xff\xfe\xfd" + bytes(range(256))),
    "deep": lambda uid: Reply(body=b"[" * DEPTH),
    "empty": lambda uid: Reply(),
    "html": lambda uid: Reply(body=PAGE, kind="text/html; charset=utf-8"),
    "lists": lambda uid: Reply(body=b"[" + b"[]," * LISTS + b"0]"),
    "null": lambda uid: Reply(body=b"null"),
}
