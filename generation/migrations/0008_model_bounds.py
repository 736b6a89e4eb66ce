from django.db import migrations, models
from django.db.models import F


def seen_when_checked(apps, schema_editor):
    """For existing rows, the last check is the best known time."""
    apps.get_model('generation', 'ModelState').objects.update(seen_at=F('checked_at'))


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0007_restored_pictures'),
    ]

    operations = [
        migrations.AddField(
            model_name='modelstate',
            name='key_tried_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='last try of the refused key'),
        ),
        migrations.AddField(
            model_name='modelstate',
            name='seen_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='last served'),
        ),
        migrations.AlterField(
            model_name='modelslot',
            name='identity',
            field=models.TextField(blank=True, default='', verbose_name='model process'),
        ),
        migrations.AlterField(
            model_name='modelstate',
            name='identity',
            field=models.TextField(blank=True, default='', verbose_name='model process'),
        ),
        migrations.AlterField(
            model_name='modelstate',
            name='lost_identity',
            field=models.TextField(blank=True, default='', verbose_name='model process that died'),
        ),
        migrations.RunPython(seen_when_checked, migrations.RunPython.noop),
    ]
