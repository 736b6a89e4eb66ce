"""Columns of tasks take the field's names. Stop all webs and workers first: docs/operations.md."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0012_apitoken_moved")]

    operations = [
        migrations.RemoveConstraint(model_name="generationtask", name="one_to_four_pictures"),
        migrations.RemoveConstraint(model_name="generationtask", name="seed_is_32_bit"),
        migrations.RemoveIndex(model_name="generationtask", name="tasks_by_status"),
        migrations.RenameField("generationtask", "n", "image_count"),
        migrations.RenameField("generationtask", "seed", "requested_seed"),
        migrations.RenameField("generationtask", "drawn_seed", "seed"),
        migrations.RenameField("generationtask", "expected", "expected_durations"),
        migrations.RenameField("generationtask", "measured", "measured_durations"),
        migrations.RenameField("generationtask", "image", "current_image"),
        migrations.RenameField("generationtask", "counted_ends", "failed_attempts"),
        migrations.RenameField("generationtask", "free_ends", "uncounted_interruptions"),
        migrations.RenameField("generationtask", "not_before", "retry_at"),
        migrations.AddConstraint(
            model_name="generationtask",
            constraint=models.CheckConstraint(
                condition=models.Q(("image_count__range", (1, 4))), name="one_to_four_pictures"
            ),
        ),
        migrations.AddConstraint(
            model_name="generationtask",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("requested_seed__isnull", True),
                    ("requested_seed__range", (0, 4294967295)),
                    _connector="OR",
                ),
                name="seed_is_32_bit",
            ),
        ),
        migrations.AddIndex(
            model_name="generationtask",
            index=models.Index(
                fields=["status", "model", "owner", "created", "id", "retry_at", "cancel_requested_at"],
                name="tasks_by_status",
            ),
        ),
    ]
