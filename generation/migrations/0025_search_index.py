from django.db import migrations

from generation import search_index


def install(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        search_index.install(connection)
        return
    with connection.cursor() as cursor:
        cursor.execute(search_index.CREATE_TRIGRAMS_OF)
        # an interrupted build leaves an index that is not used
        cursor.execute(search_index.DROP_INDEX)
        cursor.execute(search_index.CREATE_INDEX)


def remove(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        search_index.remove(connection)
        return
    with connection.cursor() as cursor:
        cursor.execute(search_index.DROP_INDEX)
        cursor.execute(search_index.DROP_TRIGRAMS_OF)


class Migration(migrations.Migration):

    # the index of millions of rows is built while the studio goes on writing
    atomic = False

    dependencies = [
        ('generation', '0024_correlation_ids'),
    ]

    operations = [
        migrations.RunPython(install, remove),
    ]
