from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0023_review_was_withheld'),
    ]

    operations = [
        migrations.AddField(
            model_name='generationtask',
            name='correlation_id',
            field=models.CharField(db_default='', default='', editable=False, max_length=64),
        ),
    ]
