"""Memory is of a model server, no longer of the worker that asks it.

The columns of workers stay in PostgreSQL, because workers of the version before write them.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0041_server_conditions")]

    operations = [
        migrations.AddField(
            model_name="modelserver",
            name="memory",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="memory in use"),
        ),
        migrations.AddField(
            model_name="modelserver",
            name="gpu_memory",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="GPU memory in use"),
        ),
        migrations.AddField(
            model_name="modelserver",
            name="gpu_memory_total",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="GPU memory"),
        ),
        migrations.AddField(
            model_name="modelserver",
            name="memory_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="memory measured"),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name="worker", name="server_memory"),
                migrations.RemoveField(model_name="worker", name="gpu_memory"),
                migrations.RemoveField(model_name="worker", name="gpu_memory_total"),
            ],
        ),
    ]
