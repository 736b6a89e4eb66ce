"""Tokens that may only read, and tokens that expire; those that exist may change tasks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField("apitoken", "expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires")),
        migrations.AddField(
            "apitoken",
            "scope",
            # also for processes of the older version, which do not name it
            models.CharField(choices=[("read", "read"), ("write", "read and change")], db_default="write", max_length=8, verbose_name="scope"),
        ),
        migrations.AddConstraint(
            "apitoken",
            models.CheckConstraint(condition=models.Q(scope__in=["read", "write"]), name="api_token_scope"),
        ),
    ]
