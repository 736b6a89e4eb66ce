"""ApiToken belongs to `accounts`, which takes over the table as it is."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("generation", "0011_collection")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel(name="ApiToken")]
        ),
    ]
