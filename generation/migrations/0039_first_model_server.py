"""The server that was the only one gets a row, and its models and slots refer to it."""

from typing import Any

from django.conf import settings
from django.db import migrations
from django.db.migrations.state import StateApps

COPIED = (
    *("ready", "loading", "replicas", "slots", "route", "identity", "identity_since"),
    *("lost_identity", "lost_at", "checked_at", "seen_at", "error_code", "error_detail"),
)


def make_first_server(apps: StateApps, editor: Any) -> None:
    states = list(apps.get_model("generation", "ModelState").objects.order_by("name"))
    if not states:
        return
    server = apps.get_model("generation", "ModelServer").objects.create(
        name="default", url=settings.MODEL_SERVER, from_environment=True
    )
    refused = [state for state in states if state.refused_key]
    if refused:
        server.refused_key = refused[0].refused_key
        server.refused_until = max((s.refused_until for s in refused if s.refused_until), default=None)
        server.key_tried_at = max((s.key_tried_at for s in refused if s.key_tried_at), default=None)
        server.save()
    instances = apps.get_model("generation", "ModelInstance").objects
    slots = apps.get_model("generation", "ModelSlot").objects
    for state in states:
        values = {name: getattr(state, name) for name in COPIED}
        instance = instances.create(server=server, model=state.name, **values)
        slots.filter(model=state.name).update(instance=instance)


class Migration(migrations.Migration):
    dependencies = [("generation", "0038_model_servers")]

    operations = [migrations.RunPython(make_first_server, migrations.RunPython.noop)]
