
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0002_model_slots'),
    ]

    operations = [
        migrations.AddField(
            model_name='generatedimage',
            name='deleted_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='moved to the trash'),
        ),
        migrations.AddField(
            model_name='generationtask',
            name='deleted_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='moved to the trash'),
        ),
        migrations.AlterField(
            model_name='generationtask',
            name='parent',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='retries', to='generation.generationtask', verbose_name='made from'),
        ),
        migrations.CreateModel(
            name='ShareLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token_hash', models.CharField(max_length=64, unique=True)),
                ('created', models.DateTimeField(verbose_name='created')),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='share_links', to='generation.generationtask')),
            ],
            options={
                'verbose_name': 'share link',
                'verbose_name_plural': 'share links',
            },
        ),
    ]
