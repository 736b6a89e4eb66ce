"""The address of the metrics of a model server, and calls of other programs."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0042_memory_of_each_server'),
    ]

    operations = [
        migrations.AddField(
            model_name='modelinstance',
            name='other_calls',
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='calls of other programs'),
        ),
        migrations.AddField(
            model_name='modelserver',
            name='metrics_url',
            field=models.CharField(blank=True, db_default='', default='', help_text='The metrics port of its worker. From it the studio knows how many calls of other programs run or wait there, and sends as many fewer.', max_length=500, verbose_name='address of its metrics'),
        ),
    ]
