"""Retention: rules, nightly runs, and when prompts and logs of tasks were removed."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('generation', '0028_saved_views'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PruneRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(unique=True, verbose_name='day')),
                ('worker', models.UUIDField(editable=False, null=True)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('last_owner', models.BigIntegerField(default=0, editable=False)),
                ('started_at', models.DateTimeField(verbose_name='started')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='ended')),
                ('prompts', models.PositiveBigIntegerField(default=0, verbose_name='prompts removed')),
                ('logs', models.PositiveBigIntegerField(default=0, verbose_name='logs shortened')),
                ('events', models.PositiveBigIntegerField(default=0, verbose_name='events deleted')),
                ('pictures', models.PositiveBigIntegerField(default=0, verbose_name='pictures moved to the trash')),
                ('bytes', models.PositiveBigIntegerField(default=0, verbose_name='bytes of these pictures')),
            ],
            options={
                'verbose_name': 'retention run',
                'verbose_name_plural': 'retention runs',
            },
        ),
        migrations.CreateModel(
            name='RetentionRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('prompts', 'prompts'), ('logs', 'logs'), ('pictures', 'pictures'), ('favourites', 'favourite pictures'), ('trash', 'trash')], max_length=12, verbose_name='what is kept')),
                ('days', models.PositiveIntegerField(blank=True, help_text='Empty: kept for ever.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(36500)], verbose_name='days')),
            ],
            options={
                'verbose_name': 'retention of a user or group',
                'verbose_name_plural': 'retention of users and groups',
            },
        ),
        migrations.AddField(
            model_name='generationtask',
            name='log_pruned_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='log shortened'),
        ),
        migrations.AddField(
            model_name='generationtask',
            name='prompt_removed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='prompt removed'),
        ),
        migrations.AddField(
            model_name='retentionrule',
            name='group',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='retention_rules', to='auth.group', verbose_name='group'),
        ),
        migrations.AddField(
            model_name='retentionrule',
            name='user',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='retention_rules', to=settings.AUTH_USER_MODEL, verbose_name='user'),
        ),
        migrations.AddConstraint(
            model_name='retentionrule',
            constraint=models.CheckConstraint(condition=models.Q(('user__isnull', True), ('group__isnull', True), _connector='XOR'), name='retention_of_user_or_group', violation_error_message='Choose a user or a group, not both.'),
        ),
        migrations.AddConstraint(
            model_name='retentionrule',
            constraint=models.CheckConstraint(condition=models.Q(('days__isnull', True), ('days__range', (1, 36500)), _connector='OR'), name='kept_for_a_day_or_longer'),
        ),
        migrations.AddConstraint(
            model_name='retentionrule',
            constraint=models.UniqueConstraint(fields=('user', 'kind'), name='one_retention_per_user_and_kind'),
        ),
        migrations.AddConstraint(
            model_name='retentionrule',
            constraint=models.UniqueConstraint(fields=('group', 'kind'), name='one_retention_per_group_and_kind'),
        ),
    ]
