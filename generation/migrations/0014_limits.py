"""Limits of users and groups, and what users have used."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

KINDS = [
    ("unfinished", "unfinished tasks"),
    ("pictures", "pictures per day"),
    ("effort", "drawing effort per day"),
    ("task_effort", "drawing effort per task"),
    ("submissions", "submissions per minute"),
    ("storage", "storage in bytes"),
    ("connections", "sockets and event streams per web process"),
    ("requests", "API requests per minute"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("generation", "0013_column_names"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LimitOverride",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(choices=KINDS, max_length=12, verbose_name="limit")),
                (
                    "value",
                    models.PositiveBigIntegerField(
                        blank=True, help_text="Empty: unlimited.", null=True, verbose_name="value"
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="limit_overrides",
                        to="auth.group",
                        verbose_name="group",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="limit_overrides",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "limit of a user or group",
                "verbose_name_plural": "limits of users and groups",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("user__isnull", True), ("group__isnull", True), _connector="XOR"
                        ),
                        name="limit_of_user_or_group",
                        violation_error_message="Choose a user or a group, not both.",
                    ),
                    models.UniqueConstraint(
                        fields=("user", "kind"), name="one_limit_per_user_and_kind"
                    ),
                    models.UniqueConstraint(
                        fields=("group", "kind"), name="one_limit_per_group_and_kind"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LimitUsage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(choices=KINDS, max_length=12)),
                ("period", models.CharField(blank=True, default="", max_length=16)),
                ("used", models.PositiveBigIntegerField()),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "usage",
                "verbose_name_plural": "usages",
                "indexes": [models.Index(fields=["period"], name="usages_by_period")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("owner", "kind", "period"), name="one_usage_per_period"
                    )
                ],
            },
        ),
    ]
