"""`manage.py runserver`: Daphne's development server.

Named here because the app `daphne` loads Twisted into every other command too, which makes each
start a quarter slower.
"""

from __future__ import annotations

from daphne.management.commands.runserver import Command

__all__ = ["Command"]
