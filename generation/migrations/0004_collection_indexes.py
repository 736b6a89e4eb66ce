
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0003_deleting_and_sharing'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='generatedimage',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='pictures_in_bin'),
        ),
        migrations.AddIndex(
            model_name='generatedimage',
            index=models.Index(condition=models.Q(('favourite', True)), fields=['task'], name='favourite_pictures'),
        ),
        migrations.AddIndex(
            model_name='generatedimage',
            index=models.Index(fields=['seed'], name='pictures_by_seed'),
        ),
        migrations.AddIndex(
            model_name='generationtask',
            index=models.Index(fields=['owner', 'status', 'created'], name='tasks_of_owner_by_status'),
        ),
        migrations.AddIndex(
            model_name='generationtask',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='tasks_in_bin'),
        ),
    ]
