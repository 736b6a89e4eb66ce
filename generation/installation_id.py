"""The id of the installation that uses this DATA_DIR, in a file that backups leave out.

The file also holds its own inode number, which tells a copy of the folder from the original. The
database holds the id too: beside a copied database, the file is missing or another one.
"""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from pathlib import Path

from django.conf import settings

NAME = "installation"
PREFIXED_VERSION = 8
"""UUID version of request ids that begin with an installation id; older ones do not."""

PREFIX_BYTES = 6
"""Length in bytes of the common prefix of an installation's request ids."""


def path() -> Path:
    return Path(settings.DATA_DIR) / NAME


def read() -> uuid.UUID | None:
    """The installation id; None if the file is missing or a copy."""
    try:
        with path().open("rb") as file:
            content = json.load(file)
            number = os.fstat(file.fileno()).st_ino
        return uuid.UUID(content["id"]) if content["file"] == number else None
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def write(key: uuid.UUID) -> None:
    """Register this DATA_DIR for the installation, atomically."""
    handle, part = tempfile.mkstemp(dir=settings.DATA_DIR, prefix=f".{NAME}.")
    with open(handle, "w", encoding="ascii") as file:
        json.dump({"id": str(key), "file": os.fstat(handle).st_ino}, file)
        file.flush()
        os.fsync(handle)
    Path(part).replace(path())


def new_request_id() -> uuid.UUID:
    """A random request id with the prefix of this installation."""
    key = read()
    random = uuid.uuid4()
    if key is None:
        return random
    made = bytearray(key.bytes[:PREFIX_BYTES] + random.bytes[PREFIX_BYTES:])
    made[6] = made[6] & 0x0F | PREFIXED_VERSION << 4
    return uuid.UUID(bytes=bytes(made))


def is_ours(request_id: uuid.UUID | None) -> bool:
    """Whether this installation made the call; ids without a prefix count as ours."""
    key = read()
    if request_id is None or request_id.version != PREFIXED_VERSION:
        return True
    if key is None:
        return False
    return key.bytes[:PREFIX_BYTES] == request_id.bytes[:PREFIX_BYTES]
