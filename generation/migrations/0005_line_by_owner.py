from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0004_collection_indexes'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='generationtask',
            name='tasks_by_status',
        ),
        migrations.AddIndex(
            model_name='generationtask',
            index=models.Index(fields=['status', 'model', 'owner', 'created', 'id', 'not_before', 'cancel_requested_at'], name='tasks_by_status'),
        ),
        migrations.RemoveIndex(
            model_name='generationtask',
            name='tasks_of_owner_by_status',
        ),
        migrations.AddIndex(
            model_name='generationtask',
            index=models.Index(fields=['owner', 'status', 'created', 'id'], name='tasks_of_owner_by_status'),
        ),
    ]
