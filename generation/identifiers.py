"""UUIDs that clients and files write."""

from __future__ import annotations

import uuid


def parse_uuid(text: str) -> uuid.UUID | None:
    """The UUID in any spelling that Python reads (without hyphens, in braces); else None."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def parse_hyphenated(text: str) -> uuid.UUID | None:
    """The same for 8-4-4-4-12 hexadecimal digits alone, in either case."""
    found = parse_uuid(text)
    return found if str(found) == text.lower() else None
