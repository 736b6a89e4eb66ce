"""Lists the sessions that began before there was a list of them."""

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations
from django.utils import timezone


def list_sessions(apps, schema_editor):
    """Add a row for each session; its address and browser are not known."""
    UserSession = apps.get_model("usersessions", "UserSession")
    users = set(apps.get_model("auth", "User").objects.values_list("pk", flat=True))
    listed = set(UserSession.objects.values_list("session_key", flat=True))
    sessions = apps.get_model("sessions", "Session").objects.filter(expire_date__gt=timezone.now())
    for session in sessions.exclude(session_key__in=listed).iterator():
        # empty if the signing key has changed
        user = SessionStore().decode(session.session_data).get(SESSION_KEY, "")
        if user.isdecimal() and int(user) in users:
            UserSession.objects.create(
                user_id=int(user), session_key=session.session_key, ip="0.0.0.0", user_agent=""
            )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_invitation"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("sessions", "0001_initial"),
        ("usersessions", "0001_initial"),
    ]

    operations = [migrations.RunPython(list_sessions, migrations.RunPython.noop, elidable=True)]
