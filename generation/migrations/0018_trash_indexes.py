from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("generation", "0017_time_limit")]

    operations = [
        migrations.RenameIndex(
            model_name="generatedimage", old_name="pictures_in_bin", new_name="pictures_in_trash"
        ),
        migrations.RenameIndex(
            model_name="generationtask", old_name="tasks_in_bin", new_name="tasks_in_trash"
        ),
    ]
