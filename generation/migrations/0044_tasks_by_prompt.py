"""An index of prompts, built while the studio goes on writing."""

from importlib import import_module

import django.contrib.postgres.indexes
from django.db import migrations

AddLargeIndex = import_module('generation.migrations.0034_large_indexes').AddLargeIndex


class Migration(migrations.Migration):

    # no transaction, because the index is built concurrently
    atomic = False

    dependencies = [
        ('generation', '0043_queue_of_model_servers'),
    ]

    operations = [
        AddLargeIndex(
            model_name='generationtask',
            index=django.contrib.postgres.indexes.HashIndex(fields=['prompt'], name='tasks_by_prompt'),
        ),
    ]
