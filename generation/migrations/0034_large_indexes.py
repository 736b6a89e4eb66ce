"""Indexes of pictures and tasks, built while the studio goes on writing."""

from django.db import migrations, models


class AddLargeIndex(migrations.AddIndex):
    """Adds an index, on PostgreSQL concurrently: a plain one stops all writers until it is built.

    It replaces an index of this name, which an interrupted build leaves and which is not used.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        model = to_state.apps.get_model(app_label, self.model_name)
        how = concurrently(schema_editor)
        name = schema_editor.quote_name(self.index.name)
        schema_editor.execute(f'DROP INDEX {"CONCURRENTLY " if how else ""}IF EXISTS {name}')
        schema_editor.add_index(model, self.index, **how)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        model = from_state.apps.get_model(app_label, self.model_name)
        schema_editor.remove_index(model, self.index, **concurrently(schema_editor))


def concurrently(schema_editor):
    return {'concurrently': True} if schema_editor.connection.vendor == 'postgresql' else {}


class Migration(migrations.Migration):

    # no transaction: each index is built and kept by itself
    atomic = False

    dependencies = [
        ('generation', '0033_review_deciders'),
    ]

    operations = [
        AddLargeIndex(
            model_name='generatedimage',
            index=models.Index(fields=['review_state', 'id'], name='pictures_by_review'),
        ),
        AddLargeIndex(
            model_name='generatedimage',
            index=models.Index(fields=['similarity'], name='pictures_by_similarity'),
        ),
        AddLargeIndex(
            model_name='generationtask',
            index=models.Index(condition=models.Q(('finished_at__isnull', False)), fields=['finished_at'], name='tasks_ended'),
        ),
        AddLargeIndex(
            model_name='generationtask',
            index=models.Index(condition=models.Q(('finished_at__isnull', False), ('prompt_removed_at__isnull', True)), fields=['owner', 'finished_at'], name='tasks_with_prompt'),
        ),
        AddLargeIndex(
            model_name='generationtask',
            index=models.Index(condition=models.Q(('finished_at__isnull', False), ('log_pruned_at__isnull', True)), fields=['owner', 'finished_at'], name='tasks_with_whole_log'),
        ),
    ]
