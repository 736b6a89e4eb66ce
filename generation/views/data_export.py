"""All data of a user as one zip that is written while it is sent."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import PurePath
from typing import Any

from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from zipstream import ZIP_DEFLATED, ZipStream

from accounts.log_format import log_line
from accounts.personal_data import personal_data
from generation import images, selectors
from generation.export_turns import ExportTurn
from generation.models import GeneratedImage, GenerationTask
from generation.outages import cause_of
from generation.own_connection import read_in_threads
from generation.views.images import download_name

logger = logging.getLogger(__name__)

FORMAT = 1
"""Version of the files' structure, which is in docs/operations.md."""

to_json = partial(json.dumps, cls=DjangoJSONEncoder, ensure_ascii=False)


class Export:
    """The body of a response; Django calls `close` even if the client left before the first byte.

    Pages of rows and single pictures are read when the client has taken what was before.
    """

    def __init__(self, user: User, *, now: datetime) -> None:
        """Raises ExportRunning."""
        self.user, self.now = user, now
        self.turn = ExportTurn(user)
        self.missing: list[dict[str, Any]] = []
        self.counts = {"tasks": 0, "events": 0, "pictures": 0}

    def __aiter__(self) -> AsyncIterator[bytes]:
        return read_in_threads(self.chunks())

    def close(self) -> None:
        self.turn.end()

    def chunks(self) -> Generator[bytes]:
        """The zip, written in one pass; texts are compressed, pictures are not.

        Deflate at level 0 instead of "stored": see `generation.views.zip_download`.
        """
        archive = ZipStream(compress_type=ZIP_DEFLATED, compress_level=6)
        archive.add(pretty(self.account()), "account.json")
        archive.add(self.task_lines(), "tasks.jsonl")
        archive.add(self.log_lines(), "logs.jsonl")
        yield from self.renewing(archive.all_files())
        for image in self.pictures():
            if image.withheld:
                continue
            if (data := self.read(image)) is not None:
                archive.add(data, name_of(image), compress_level=0)
                yield from self.renewing(archive.all_files())
        archive.add(pretty(self.report()), "export.json")
        yield from archive.finalize()

    def renewing(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.turn.renew()
            yield chunk

    def account(self) -> dict[str, Any]:
        allowances = selectors.allowances_of([self.user.pk], now=self.now)[self.user.pk]
        return {
            **personal_data(self.user),
            "limits": selectors.allowances_data(allowances),
            "share_links": selectors.owned_links(self.user),
            "webhooks": selectors.owned_webhooks(self.user),
        }

    def task_lines(self) -> Iterator[bytes]:
        for tasks in selectors.owned_tasks(self.user):
            self.counts["tasks"] += len(tasks)
            pictures = selectors.images_of(tasks)
            notices = selectors.notices_of_images(
                [image for images in pictures.values() for image in images if image.withheld]
            )
            yield lines(to_json(task_data(task, pictures[task.pk], notices)) for task in tasks)

    def log_lines(self) -> Iterator[bytes]:
        for frames in selectors.owned_logs(self.user):
            self.counts["events"] += len(frames)
            yield lines(frames)

    def pictures(self) -> Iterator[GeneratedImage]:
        for tasks in selectors.owned_tasks(self.user):
            for pictures in selectors.images_of(tasks).values():
                yield from pictures

    def read(self, image: GeneratedImage) -> bytes | None:
        """The file of the picture; one that cannot be read is noted, and None."""
        try:
            data = images.path_of(image.file).read_bytes()
        except OSError as error:
            logger.warning("%s", log_line("not_in_export", file=image.file, cause=cause_of(error)))
            cause = {"name": name_of(image), "cause": error.strerror or type(error).__name__}
            self.missing.append({"task": image.task_id, "index": image.index, **cause})
            return None
        self.counts["pictures"] += 1
        return data

    def report(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "began": self.now,
            **self.counts,
            "missing_pictures": self.missing,
        }


def lines(texts: Iterable[str]) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode(errors="replace")


def pretty(data: dict[str, Any]) -> bytes:
    return f"{to_json(data, indent=2)}\n".encode(errors="replace")


def name_of(image: GeneratedImage) -> str:
    """The name in the zip: a folder for each day, and the task's id, so that no two are equal."""
    name = PurePath(download_name(image, image.file))
    day = timezone.localdate(image.task.created)
    return f"pictures/{day}/{name.stem}-{image.task_id.hex[:8]}-{image.index}{name.suffix}"


def task_data(
    task: GenerationTask, pictures: list[GeneratedImage], notices: selectors.Notices
) -> dict[str, Any]:
    return {
        "id": task.pk,
        **task.data,
        "created": task.created,
        "status": task.status,
        "drawn_seed": task.seed,
        "claimed_at": task.claimed_at,
        "finished_at": task.finished_at,
        "wait_seconds": task.wait_seconds,
        "run_seconds": task.run_seconds,
        "measured": task.measured_durations,
        "error": task.error_code or None,
        "in_trash_since": task.deleted_at,
        "pictures": [picture_data(image, notices) for image in pictures],
    }


def picture_data(image: GeneratedImage, notices: selectors.Notices) -> dict[str, Any]:
    """`file` is None for a withheld picture, which is not in the zip; `withheld` says why."""
    notice = notices[image.task_id][image.index] if image.withheld else None
    return {
        "index": image.index,
        "file": None if image.withheld else name_of(image),
        "withheld": notice,
        "width": image.width,
        "height": image.height,
        "seed": image.seed,
        "bytes": image.bytes,
        "sha256": image.sha256,
        "demo": image.demo,
        "favourite": image.favourite,
        "in_trash_since": image.deleted_at,
    }
