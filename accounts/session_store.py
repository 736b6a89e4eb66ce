"""Sessions in the database, as Django's, which report their end."""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db

from accounts.credential_changes import report_change


class SessionStore(db.SessionStore):
    def delete(self, session_key: str | None = None) -> None:
        """Delete the session, e.g. because a new key takes its place."""
        user_id = self.get(SESSION_KEY)
        super().delete(session_key)
        if user_id is not None:
            report_change(int(user_id))

    def flush(self) -> None:
        """Delete the session and its data, at a sign-out."""
        user_id = self.get(SESSION_KEY)
        super().flush()
        if user_id is not None:
            report_change(int(user_id))
