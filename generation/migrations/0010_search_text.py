from django.db import migrations, models

BATCH = 500


def fold_prompts(apps, schema_editor):
    """Of tasks that exist; each batch is a transaction of its own, so that others can write."""
    from generation.unicode_text import casefolded

    tasks = apps.get_model("generation", "GenerationTask").objects.order_by("pk")
    last = None
    while True:
        rest = tasks if last is None else tasks.filter(pk__gt=last)
        batch = list(rest.only("pk", "prompt", "model")[:BATCH])
        if not batch:
            return
        for task in batch:
            task.search_text = casefolded(f"{task.prompt}\n{task.model}")
        tasks.bulk_update(batch, ["search_text"])
        last = batch[-1].pk


class Migration(migrations.Migration):

    # millions of rows are not one transaction: the studio goes on writing meanwhile
    atomic = False

    dependencies = [
        ('generation', '0009_installation'),
    ]

    operations = [
        migrations.AddField(
            model_name='generationtask',
            name='search_text',
            field=models.TextField(db_default='', default='', editable=False),
        ),
        migrations.RunPython(fold_prompts, migrations.RunPython.noop),
    ]
