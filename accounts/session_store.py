"""Sessions in the database, as Django's, which report their end."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db

from accounts.credential_changes import report_change
from accounts.session_sql import session_data


class SessionStore(db.SessionStore):
    def load(self) -> dict[str, Any]:
        data = session_data(self.session_key)
        if data is None:
            self._session_key = None
            return {}
        return self.decode(data)

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
