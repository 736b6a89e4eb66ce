"""When a task is cancelled unless it is over; the tasks of earlier versions have no such time."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("generation", "0016_webhooks")]

    operations = [
        migrations.AddField(
            model_name="generationtask",
            name="cancel_after",
            field=models.DateTimeField(blank=True, null=True, verbose_name="time limit"),
        ),
        migrations.AddIndex(
            model_name="generationtask",
            index=models.Index(
                condition=Q(cancel_after__isnull=False, finished_at__isnull=True),
                fields=["cancel_after"],
                name="tasks_with_time_limit",
            ),
        ),
    ]
