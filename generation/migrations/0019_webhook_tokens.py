import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_profile'),
        ('generation', '0018_trash_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='webhookendpoint',
            name='token',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='webhooks', to='accounts.apitoken', verbose_name='API token'),
        ),
    ]
