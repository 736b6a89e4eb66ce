"""Limits of what pages weigh."""

from __future__ import annotations

STUDIO_BYTES = 90_000
"""HTML of the studio with 30 tasks, uncompressed; scripts render most of their cards."""

THIRTY_CARDS_BYTES = 150_000
"""HTML of the studio if it had all cards of 30 tasks, uncompressed."""

OWN_BYTES = 100_000
"""Own styles and scripts of the studio with a task at work, as they are served, uncompressed."""
