"""Permissions of staff; each may be given without the others."""

from __future__ import annotations

VIEW_ALL = "generation.view_generationtask"
"""Permission to read the tasks of all users."""

CHANGE_ALL = "generation.change_generationtask"
"""Permission to cancel and retry them too."""

REVIEW = "generation.add_review"
"""Permission to decide about the pictures of all users."""

OPERATE = "generation.change_installation"
"""Permission to pause and resume drawing, and to drain and forget workers."""

AUDIT = "generation.view_auditentry"
"""Permission to read and export what staff did."""
