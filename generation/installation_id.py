"""Which installation lives in this DATA_DIR: an id in a file that no backup brings along.

The file also holds its own number in the file system, so that a copy of the folder is told from
the folder itself. The database knows the id too; a copy of it stands beside another file, or none.
"""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from pathlib import Path

from django.conf import settings

NAME = "installation"
MADE_HERE = 8
"""Version of the UUIDs that begin with an id; those of older versions of the studio do not."""

OURS = 6
"""Bytes with which every request id of an installation begins."""


def path() -> Path:
    return Path(settings.DATA_DIR) / NAME


def read() -> uuid.UUID | None:
    """The id of the installation that lives here; None without the file, or with a copy of it."""
    try:
        with path().open("rb") as file:
            told = json.load(file)
            number = os.fstat(file.fileno()).st_ino
        return uuid.UUID(told["id"]) if told["file"] == number else None
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def write(key: uuid.UUID) -> None:
    """Make this DATA_DIR the place of the installation; whole or not at all."""
    handle, part = tempfile.mkstemp(dir=settings.DATA_DIR, prefix=f".{NAME}.")
    with open(handle, "w", encoding="ascii") as file:
        json.dump({"id": str(key), "file": os.fstat(handle).st_ino}, file)
        file.flush()
        os.fsync(handle)
    Path(part).replace(path())


def new_request_id() -> uuid.UUID:
    """Random but for its beginning, by which the installation knows its own calls."""
    key = read()
    random = uuid.uuid4()
    if key is None:
        return random
    made = bytearray(key.bytes[:OURS] + random.bytes[OURS:])
    made[6] = made[6] & 0x0F | MADE_HERE << 4
    return uuid.UUID(bytes=bytes(made))


def is_ours(request_id: uuid.UUID | None) -> bool:
    """Whether the installation that lives here made the call; an id that says nothing is ours."""
    key = read()
    if request_id is None or request_id.version != MADE_HERE:
        return True
    if key is None:
        return False
    return key.bytes[:OURS] == request_id.bytes[:OURS]
