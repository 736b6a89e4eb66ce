from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0005_line_by_owner'),
    ]

    operations = [
        migrations.AddField(
            model_name='modelstate',
            name='error_detail',
            field=models.TextField(blank=True, db_default='', default='', verbose_name='cause'),
        ),
        migrations.AddField(
            model_name='worker',
            name='model_server',
            field=models.CharField(blank=True, db_default='', default='', max_length=500, verbose_name='model server'),
        ),
    ]
