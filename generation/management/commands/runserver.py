"""`manage.py runserver`: Daphne's development server.

Imported here because the app `daphne` loads Twisted in every other command too, which makes each
start a quarter slower.
"""

from __future__ import annotations

from daphne.management.commands.runserver import Command

__all__ = ["Command"]
