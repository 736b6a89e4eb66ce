"""Rows about an account that the database does not delete together with it."""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Q

from accounts.admin_log import confirmed_addresses, delete_entries_about
from accounts.models import Invitation

CONNECTIONS = "socialaccount_socialaccount"


def delete_traces(user: User) -> None:
    """Delete what names the account: sessions, connections, and its invitation with its log."""
    delete_sessions(user)
    delete_connections(user)
    to_user = Q(used_by=user) | Q(email__in=confirmed_addresses(user))
    invitations = Invitation.objects.filter(to_user)
    delete_entries_about(invitations)
    invitations.delete()


def delete_sessions(user: User) -> None:
    """Delete all sessions of the account; each row is read, because none names its user."""
    mine = [
        session.pk
        for session in Session.objects.iterator()
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    Session.objects.filter(pk__in=mine).delete()


def delete_connections(user: User) -> None:
    """Delete connections with accounts at the OpenID provider.

    By SQL, because Django does not know the table while OIDC_SERVER is not set, and the database
    would not delete their user.
    """
    with connection.cursor() as cursor:
        if CONNECTIONS in connection.introspection.table_names(cursor):
            cursor.execute(f"DELETE FROM {CONNECTIONS} WHERE user_id = %s", [user.pk])  # noqa: S608
