"""Take over ApiToken from `generation`: its table stays, and with it every row.

Its content type moves too, so that staff keep their permissions and the admin its history.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def rename_content_type(apps, schema_editor, old, new):
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(
        schema_editor.connection.alias
    )
    if not content_types.filter(app_label=new, model="apitoken").exists():
        content_types.filter(app_label=old, model="apitoken").update(app_label=new)


def take(apps, schema_editor):
    rename_content_type(apps, schema_editor, "generation", "accounts")


def give_back(apps, schema_editor):
    rename_content_type(apps, schema_editor, "accounts", "generation")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("generation", "0012_apitoken_moved"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="ApiToken",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("digest", models.CharField(max_length=64, unique=True)),
                        ("name", models.CharField(blank=True, default="", max_length=100, verbose_name="name")),
                        ("created", models.DateTimeField(verbose_name="created")),
                        ("last_used", models.DateTimeField(blank=True, null=True, verbose_name="last used")),
                        ("owner", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="tokens", to=settings.AUTH_USER_MODEL, verbose_name="owner")),
                    ],
                    options={
                        "verbose_name": "API token",
                        "verbose_name_plural": "API tokens",
                        "db_table": "generation_apitoken",
                    },
                ),
            ],
        ),
        migrations.RunPython(take, give_back),
    ]
