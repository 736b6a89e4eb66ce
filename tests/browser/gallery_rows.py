"""Galleries filled with rows and small files, because generating pictures is slow."""

from __future__ import annotations

import json
from typing import Any

from tests.studio import Studio

CREATE_ROWS = """
import json
from datetime import timedelta

from django.contrib.auth.models import User

from generation import images
from generation.clock import clock
from generation.models import GeneratedImage, GenerationTask
from generation.services.search_text import search_text
from tests.pictures import jpeg

now = clock.now()
for name, tasks in json.loads({galleries!r}).items():
    owner = User.objects.get(username=name)
    for number, given in enumerate(tasks):
        seed, n = given.pop("seed", 1000 + 10 * number), given.pop("n", 1)
        favourite, colour = given.pop("favourite", False), given.pop("colour", "teal")
        created = now - timedelta(minutes=1 + given.pop("minutes", number))
        row = dict(status="completed", step="completed", progress=100, width=256, height=256)
        row |= dict(model="LiuJuan20260223Zimage", steps=4, guidance=0) | given
        if row["status"] == "cancelled":
            row["cancel_requested_at"] = created
        task = GenerationTask.objects.create(
            owner=owner, created=created, finished_at=created, seed=seed, image_count=n,
            search_text=search_text(row["prompt"], row["model"]), **row
        )
        for index in range(1, n + 1 if row["status"] == "completed" else 1):
            file = f"{{task.pk}}/{{index}}-1-hung.jpg"
            images.write(file, jpeg(row["width"], row["height"], colour))
            GeneratedImage.objects.create(
                task=task, index=index, file=file, thumbnail=images.make_thumbnail(file),
                width=row["width"], height=row["height"], seed=seed + index - 1, bytes=1,
                sha256="0" * 64, favourite=favourite,
            )
"""

Rows = list[dict[str, Any]]
"""Tasks, newest first: fields of the row, and `seed`, `favourite`, `colour`, `minutes` ago."""


def create_gallery(studio: Studio, galleries: dict[str, Rows]) -> None:
    """Create the rows of each gallery for the account of that name."""
    code = CREATE_ROWS.format(galleries=json.dumps(galleries))
    studio.shell(code)
