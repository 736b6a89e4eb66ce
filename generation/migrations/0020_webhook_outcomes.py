from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0019_webhook_tokens'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='webhookattempt',
            name='webhook_attempts_waiting',
        ),
        migrations.AlterField(
            model_name='webhookattempt',
            name='outcome',
            field=models.CharField(blank=True, choices=[('delivered', 'Delivered'), ('refused', 'The receiver refused it'), ('redirected', 'The receiver redirects; redirects are not followed'), ('timed_out', 'No answer within 10 seconds'), ('no_address', 'The host has no public address'), ('tls_failed', "The receiver's certificate cannot be trusted"), ('unreachable', 'The receiver cannot be reached'), ('unsigned', 'The secret can no longer be read; create the webhook again'), ('task_deleted', 'The task was deleted before')], default='', max_length=12, verbose_name='outcome'),
        ),
        migrations.AddIndex(
            model_name='webhookattempt',
            index=models.Index(condition=models.Q(('seconds__isnull', True)), fields=['id'], name='webhook_attempts_unrecorded'),
        ),
    ]
