"""What concerns one server is no longer of the model.

The columns stay in PostgreSQL, with defaults, because workers of the version before write them.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0039_first_model_server")]

    operations = [
        migrations.AlterField(
            model_name="modelstate",
            name="identity",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AlterField(
            model_name="modelstate",
            name="lost_identity",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AlterField(
            model_name="modelstate",
            name="refused_key",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name="modelstate", name="identity"),
                migrations.RemoveField(model_name="modelstate", name="identity_since"),
                migrations.RemoveField(model_name="modelstate", name="lost_identity"),
                migrations.RemoveField(model_name="modelstate", name="lost_at"),
                migrations.RemoveField(model_name="modelstate", name="refused_key"),
                migrations.RemoveField(model_name="modelstate", name="refused_until"),
                migrations.RemoveField(model_name="modelstate", name="key_tried_at"),
            ],
        ),
    ]
