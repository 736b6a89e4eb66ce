"""Receivers of messages about tasks, their cursors, and the history of messages."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0015_charges'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('url', models.CharField(max_length=2000, verbose_name='address')),
                ('secret', models.TextField(editable=False)),
                ('events', models.CharField(blank=True, default='', max_length=200, verbose_name='events')),
                ('enabled', models.BooleanField(default=True, verbose_name='enabled')),
                ('failing_since', models.DateTimeField(blank=True, null=True, verbose_name='failing since')),
                ('off_at', models.DateTimeField(blank=True, null=True, verbose_name='turned off')),
                ('created', models.DateTimeField(verbose_name='created')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhooks', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
                ('task', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='webhook', to='generation.generationtask', verbose_name='task')),
            ],
            options={
                'verbose_name': 'webhook',
                'verbose_name_plural': 'webhooks',
            },
        ),
        migrations.CreateModel(
            name='WebhookCursor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sent_seq', models.PositiveIntegerField(default=0)),
                ('due_at', models.DateTimeField()),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='generation.generationtask')),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cursors', to='generation.webhookendpoint')),
            ],
            options={
                'verbose_name': 'webhook cursor',
                'verbose_name_plural': 'webhook cursors',
                'indexes': [models.Index(fields=['due_at'], name='webhook_cursors_due')],
                'constraints': [models.UniqueConstraint(fields=('endpoint', 'task'), name='one_cursor_per_webhook_and_task')],
            },
        ),
        migrations.CreateModel(
            name='WebhookAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.PositiveIntegerField(default=0, verbose_name='number of the event')),
                ('kind', models.CharField(max_length=16, verbose_name='kind')),
                ('is_requested', models.BooleanField(default=False, verbose_name='asked for by the owner')),
                ('created', models.DateTimeField(verbose_name='created')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='sent')),
                ('seconds', models.FloatField(blank=True, null=True, verbose_name='seconds')),
                ('outcome', models.CharField(blank=True, choices=[('delivered', 'Delivered'), ('refused', 'The receiver refused it'), ('redirected', 'The receiver redirects; redirects are not followed'), ('timed_out', 'No answer within 10 seconds'), ('no_address', 'The host has no public address'), ('tls_failed', "The receiver's certificate cannot be trusted"), ('unreachable', 'The receiver cannot be reached'), ('unsigned', 'The secret can no longer be read; create the webhook again')], default='', max_length=12, verbose_name='outcome')),
                ('status', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='HTTP status')),
                ('excerpt', models.TextField(blank=True, default='', verbose_name='beginning of the response')),
                ('task', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='generation.generationtask', verbose_name='task')),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='generation.webhookendpoint', verbose_name='webhook')),
            ],
            options={
                'verbose_name': 'webhook delivery',
                'verbose_name_plural': 'webhook deliveries',
                'indexes': [models.Index(models.F('endpoint'), models.OrderBy(models.F('id'), descending=True), name='webhook_attempts_newest'), models.Index(fields=['created'], name='webhook_attempts_by_age'), models.Index(condition=models.Q(('started_at__isnull', True)), fields=['id'], name='webhook_attempts_waiting')],
            },
        ),
    ]
