"""The gallery: all tasks and pictures of a user, newest first, in pages."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse

from generation.choices import UNFINISHED, TaskStatus
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.limits import MAX_SEED
from generation.models import GeneratedImage, GenerationTask, ModelState
from generation.models.tasks import TaskQuerySet
from generation.protocol import ImageData
from generation.selectors.image_detail import PictureKey, key_of, pictures_left
from generation.selectors.tasks import Card, cards_of
from generation.selectors.withheld import Notices, notices_of_images
from generation.unicode_text import casefolded

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PAGE_TASKS = 60
MAX_SCANNED = 5_000
"""Tasks that are scanned for one page if words or a filter may exclude any of them."""

MAX_WORDS = 8
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GalleryPosition = tuple[datetime, uuid.UUID]
"""(created, id) of a task: its position in the gallery."""

STATUSES = {
    "completed": frozenset({TaskStatus.COMPLETED}),
    "failed": frozenset({TaskStatus.FAILED}),
    "cancelled": frozenset({TaskStatus.CANCELLED}),
    "running": UNFINISHED,
}
"""Filter → statuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryFilter:
    """The defaults exclude nothing. `status`: a key of STATUSES."""

    text: str = ""
    status: str = ""
    model: str = ""
    since: datetime | None = None
    favourite: bool = False

    @property
    def words(self) -> list[str]:
        """The words of `text`, casefolded like `search_text`."""
        return casefolded(self.text).split()[:MAX_WORDS]

    @property
    def needs_scan(self) -> bool:
        """Whether many tasks may be read to find one; favourites have an index."""
        return bool(self.words or self.status or self.model) and not self.favourite


class PictureItem(ImageData):
    kind: Literal["picture"]
    key: str
    task: str
    prompt: str
    model: str
    created: datetime
    task_url: str


class TaskItem(TypedDict):
    """An unfinished task, or one that ended without a picture."""

    kind: Literal["task"]
    task: str
    status: str
    step: str
    error_code: str
    prompt: str
    created: datetime
    task_url: str


GalleryItem = PictureItem | TaskItem


class GalleryPage(TypedDict):
    """`next`: cursor of the next page, None after the last; `models`: options of the filter.

    `looked_back_to`: when the last scanned task was submitted; None if it was the first of all or
    the page is full. A page without items may have a next page.
    """

    items: list[GalleryItem]
    next: str | None
    looked_back_to: datetime | None
    models: list[str]


def gallery_page(owner: User, wanted: GalleryFilter, before: str | None) -> GalleryPage:
    """The page after the cursor `before`; the first page if the cursor cannot be read.

    New tasks come before every cursor, so no page repeats an item.
    """
    position = read_cursor(before)
    tasks, edge = scanned(owner, wanted, position)
    rows = list(tasks.newest_first()[: PAGE_TASKS + 1])
    more, rows = len(rows) > PAGE_TASKS, rows[:PAGE_TASKS]
    last = (rows[-1].created, rows[-1].pk) if more else edge
    return {
        "items": items_of(rows, wanted),
        "next": None if last is None else write_cursor(last),
        "looked_back_to": None if more or edge is None else edge[0],
        "models": model_options(),
    }


def task_page(
    owner: User, wanted: GalleryFilter, *, before: str, limit: int, now: datetime
) -> tuple[list[Card], str | None]:
    """The owner's tasks after the cursor `before`, newest first, and the next cursor.

    Raises InvalidInput for a cursor that cannot be read.
    """
    position = read_cursor(before)
    if before and position is None:
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "before")
    tasks, edge = scanned(owner, wanted, position)
    rows = list(tasks.newest_first()[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    last = (rows[-1].created, rows[-1].pk) if more else edge
    return cards_of(rows, now), None if last is None else write_cursor(last)


def scanned(
    owner: User, wanted: GalleryFilter, position: GalleryPosition | None
) -> tuple[TaskQuerySet, GalleryPosition | None]:
    """The matching tasks after `position`, down to another if there are too many to scan."""
    tasks = tasks_of(owner, wanted)
    if position is not None:
        tasks = tasks.filter(is_after(position))
    edge = scan_limit(owner, position) if wanted.needs_scan else None
    if edge is not None:
        tasks = tasks.filter(~is_after(edge), created__gte=edge[0])
    return tasks, edge


def is_after(position: GalleryPosition) -> Q:
    """Filter for older tasks, or of the same time and a lower id."""
    created, last = position
    # the first condition is redundant, but it is the one that can use the index
    return Q(Q(created__lt=created) | Q(created=created, pk__lt=last), created__lte=created)


def scan_limit(owner: User, position: GalleryPosition | None) -> GalleryPosition | None:
    """The last task to scan for one page; None if no task follows it."""
    tasks = GenerationTask.objects.filter(owner=owner)
    if position is not None:
        tasks = tasks.filter(is_after(position))
    rows = tasks.newest_first().values_list("created", "pk")[MAX_SCANNED - 1 : MAX_SCANNED + 1]
    edge = list(rows)
    return edge[0] if len(edge) > 1 else None


def tasks_of(owner: User, wanted: GalleryFilter) -> TaskQuerySet:
    tasks = GenerationTask.objects.filter(owner=owner).live()
    if wanted.status:
        tasks = tasks.filter(status__in=sorted(STATUSES[wanted.status]))
    if wanted.model:
        tasks = tasks.filter(model=wanted.model)
    if wanted.since is not None:
        tasks = tasks.filter(created__gte=wanted.since)
    if wanted.favourite:
        tasks = tasks.filter(pk__in=tasks_with_images(favourite=True))
    for word in wanted.words:
        tasks = tasks.filter(matches(word))
    return tasks


def tasks_with_images(**wanted: Any) -> QuerySet[GeneratedImage, uuid.UUID]:
    """Tasks of matching pictures, found once by index and not per task."""
    rows = GeneratedImage.objects.live().filter(**wanted)
    return rows.order_by().values_list("task", flat=True)


def matches(word: str) -> Q:
    """Filter: the word is in the prompt or the model's name, or is the seed of a picture."""
    found = Q(search_text__contains=word)
    seed = as_seed(word)
    return found if seed is None else found | Q(pk__in=tasks_with_images(seed=seed))


def as_seed(word: str) -> int | None:
    number = int(word) if word.isascii() and word.isdigit() and len(word) <= 10 else None
    return number if number is not None and number <= MAX_SEED else None


def items_of(tasks: list[GenerationTask], wanted: GalleryFilter) -> list[GalleryItem]:
    rows = GeneratedImage.objects.live().filter(task__in=tasks)
    pictures: defaultdict[uuid.UUID, list[GeneratedImage]] = defaultdict(list)
    for image in rows.order_by("task", "index"):
        pictures[image.task_id].append(image)
    withheld = [image for images in pictures.values() for image in images if image.withheld]
    notices = notices_of_images(withheld)
    items: list[GalleryItem] = []
    for task in tasks:
        images, seeds = pictures[task.pk], searched_seeds(task, wanted)
        selective = wanted.favourite or bool(seeds)
        if not selective and (not task.is_over or not images):
            items.append(task_item(task))
        items += [
            picture_item(task, image, notices)
            for image in images
            if (image.favourite or not wanted.favourite) and seeds <= {image.seed}
        ]
    return items


def gallery_tiles(owner: User, keys: Collection[PictureKey]) -> list[PictureItem]:
    """The owner's pictures outside the trash among `keys`."""
    images = pictures_left(owner, keys)
    notices = notices_of_images([image for image in images if image.withheld])
    return [picture_item(image.task, image, notices) for image in images]


def searched_seeds(task: GenerationTask, wanted: GalleryFilter) -> set[int | None]:
    """The words that match the task only as seeds of its pictures."""
    return {as_seed(word) for word in wanted.words if word not in task.search_text} - {None}


def picture_item(task: GenerationTask, image: GeneratedImage, notices: Notices) -> PictureItem:
    item: PictureItem = {
        "kind": "picture",
        "key": key_of(image),
        "task": str(task.pk),
        **image.data,
        "favourite": image.favourite,
        "prompt": task.prompt,
        "model": task.model,
        "created": task.created,
        "task_url": reverse("task", args=[task.pk]),
    }
    if image.withheld:
        item["notice"] = notices[task.pk][image.index]
    return item


def task_item(task: GenerationTask) -> TaskItem:
    return {
        "kind": "task",
        "task": str(task.pk),
        "status": task.status,
        "step": task.step,
        "error_code": task.error_code,
        "prompt": task.prompt,
        "created": task.created,
        "task_url": reverse("task", args=[task.pk]),
    }


def model_options() -> list[str]:
    """Default model first. Reading the models from the user's tasks would grow with them."""
    names = ModelState.objects.order_by("name").values_list("name", flat=True)
    return list(dict.fromkeys([settings.XINFERENCE_MODEL, *names]))


def write_cursor(position: GalleryPosition) -> str:
    created, last = position
    microseconds = (created - EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{microseconds}:{last}".encode()).decode()


def read_cursor(text: str | None) -> GalleryPosition | None:
    try:
        raw = base64.urlsafe_b64decode(text or "").decode()
        microseconds, _colon, key = raw.partition(":")
        return EPOCH + timedelta(microseconds=int(microseconds)), uuid.UUID(key)
    except (ValueError, OverflowError, binascii.Error):
        return None
