
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='modelstate',
            name='slots',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='slots'),
        ),
    ]
