"""What each task took from the limits of its owner; tasks of earlier versions took nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0014_limits")]

    operations = [
        migrations.AddField(
            model_name="generationtask",
            name="charged_on",
            field=models.DateField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="generationtask",
            name="charged_images",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="generationtask",
            name="charged_effort",
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
