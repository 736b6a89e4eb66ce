"""Permissions for the tasks of other users."""

from __future__ import annotations

VIEW_ALL = "generation.view_generationtask"
"""Permission to read the tasks of all users."""

CHANGE_ALL = "generation.change_generationtask"
"""Permission to cancel and retry them too."""
