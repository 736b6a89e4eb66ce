"""Limits of what pages weigh."""

from __future__ import annotations

OWN_BYTES = 100_200
"""Own styles and scripts of the studio with a task at work, as they are served, uncompressed."""
