"""Single pictures: their keys, access, and details."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, TypedDict

from django.db.models import Exists, OuterRef
from django.urls import reverse

from generation import images, metadata_text
from generation.choices import Step
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput, NotFound
from generation.limits import MAX_IMAGES, SEED_COUNT
from generation.models import GeneratedImage, GenerationTask
from generation.protocol import ImageData, empty_state, fold_shown
from generation.selectors.events import shown_logs
from generation.selectors.tasks import age, visible_task
from generation.selectors.withheld import check_shown, notice_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

PictureKey = tuple[uuid.UUID, int]
"""(task, index); on the wire it is "<task>:<index>"."""

KEY = re.compile(
    rf"([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}):([1-{MAX_IMAGES}])", re.ASCII
)

GENERATIONS_BACK, CHILDREN = 3, 3
FORMATS = {suffix: name for name, suffix in images.SUFFIX.items()}
COMPARED = ("prompt", "negative_prompt", "model", "size", "steps", "guidance")


class RelatedPicture(TypedDict):
    """A task in the lineage of a picture, shown by its first picture.

    `change`: what differs from the previous one: a name of COMPARED, "seed", "again" if nothing
    does, empty for the first.
    """

    key: str
    thumbnail_url: str
    task_url: str
    change: str
    current: bool


class ImageDetail(ImageData):
    """`count`: requested pictures; `seconds`: of this one; `parameters`: text in the file.

    A withheld picture has its `notice`, and no lineage.
    """

    key: str
    task: str
    count: int
    task_url: str
    prompt: str
    negative_prompt: str
    model: str
    steps: int
    guidance: float
    bytes: int
    format: str
    seconds: float
    created: float
    parameters: str
    settings: dict[str, Any]
    lineage: list[RelatedPicture]


def key_of(image: GeneratedImage) -> str:
    return f"{image.task_id}:{image.index}"


def read_key(text: str) -> PictureKey:
    """The key in `text`; raises InvalidInput."""
    match = KEY.fullmatch(text)
    if match is None:
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "pictures")
    return uuid.UUID(match[1]), int(match[2])


def picture_of(task_id: uuid.UUID, index: int, user: User | AnonymousUser) -> GeneratedImage:
    """The picture with its task. Pictures in the trash are visible to staff only."""
    task = visible_task(task_id, user)
    try:
        image = GeneratedImage.objects.get(task=task, index=index)
    except GeneratedImage.DoesNotExist as error:
        raise NotFound from error
    if image.deleted_at is not None and task.owner_id == user.pk:
        raise NotFound
    image.task = task
    return image


def shown_picture(task_id: uuid.UUID, index: int, user: User | AnonymousUser) -> GeneratedImage:
    """`picture_of` for its files; raises PictureWithheld unless the user may view all tasks."""
    image = picture_of(task_id, index, user)
    check_shown(image, user)
    return image


def pictures_of_keys(owner: User, keys: Collection[PictureKey]) -> list[GeneratedImage]:
    """The owner's live pictures in the order of `keys`, each once; NotFound if one is missing."""
    found = pictures_left(owner, keys)
    if len(found) != len(set(keys)):
        raise NotFound
    return found


def pictures_left(owner: User, keys: Collection[PictureKey]) -> list[GeneratedImage]:
    """The owner's pictures outside the trash, in the order of `keys`, each once."""
    rows = GeneratedImage.objects.live().filter(
        task__in={task for task, _index in keys},
        task__owner=owner,
        task__deleted_at__isnull=True,
    )
    rows = rows.select_related("task")
    found = {(image.task_id, image.index): image for image in rows}
    return [found[key] for key in dict.fromkeys(keys) if key in found]


def visible_image_detail(task_id: uuid.UUID, index: int, user: User | AnonymousUser) -> ImageDetail:
    image = picture_of(task_id, index, user)
    notice = notice_of(image)
    if notice is not None:
        return {**image_detail(image), "notice": notice}
    return {**image_detail(image), "lineage": lineage(image)}


def image_detail(image: GeneratedImage) -> ImageDetail:
    """All but the lineage; `image.task` should be loaded."""
    task = image.task
    return {
        "key": key_of(image),
        "task": str(task.pk),
        "count": task.image_count,
        **image.data,
        "task_url": reverse("task", args=[task.pk]),
        "prompt": task.prompt,
        "negative_prompt": task.negative_prompt,
        "model": task.model,
        "steps": task.steps,
        "guidance": task.guidance,
        "bytes": image.bytes,
        "format": FORMATS[image.file.rpartition(".")[2]],
        "seconds": round(picture_seconds(image), 1),
        "created": round(task.created.timestamp(), 3),
        "favourite": image.favourite,
        "parameters": parameters_text(task, seed=image.seed),
        "settings": settings_of(task),
        "lineage": [],
    }


def parameters_text(task: GenerationTask, *, seed: int) -> str:
    """The settings of one image of `task`, as they stand in its file."""
    return metadata_text.to_text(
        prompt=task.prompt,
        negative_prompt=task.negative_prompt,
        steps=task.steps,
        guidance=task.guidance,
        seed=seed,
        width=task.width,
        height=task.height,
        model=task.model,
    )


def picture_seconds(image: GeneratedImage) -> float:
    """Seconds of drawing in the attempt that stored it.

    An equal share of the task's time if the events were not read.
    """
    log = shown_logs([image.task])[image.task_id]
    spans = fold_shown(empty_state(str(image.task_id)), log)["timeline"]
    own_spans = [
        span for span in spans if span["image"] == image.index and span["ended"] is not None
    ]
    took = sum(
        (span["ended"] or 0) - span["began"]
        for span in own_spans
        if span["step"] != Step.COMPLETED and span["attempt"] == own_spans[-1]["attempt"]
    )
    return took or image.task.run_seconds / max(1, image.task.images.count())


def settings_of(task: GenerationTask) -> dict[str, Any]:
    """The fields of a `generate` message for the same settings, without the seed."""
    return {
        "prompt": task.prompt,
        "negative_prompt": task.negative_prompt,
        "model": task.model,
        "size": f"{task.width}x{task.height}",
        "n": task.image_count,
        "steps": task.steps,
        "guidance": task.guidance,
    }


def lineage(image: GeneratedImage) -> list[RelatedPicture]:
    """Oldest first: up to three ancestors with a picture, this one, up to three children."""
    task = GenerationTask.objects.select_related("parent__parent__parent").get(pk=image.task_id)
    parents = [each for each in ancestors(task) if belongs(each, task)]
    children = list(children_of(task))
    shown = first_pictures([*parents, *children]) | {task.pk: image}
    related: list[RelatedPicture] = []
    before: GenerationTask | None = None
    for each in (*parents, task, *children):
        if each.pk not in shown:
            continue
        change = change_between(before, each) if before else ""
        related.append(related_picture(shown[each.pk], change, current=each is task))
        before = before if before is task else each
    return related


def ancestors(task: GenerationTask) -> list[GenerationTask]:
    """Oldest first."""
    found: list[GenerationTask] = []
    parent = task.parent
    while parent is not None and len(found) < GENERATIONS_BACK:
        found.insert(0, parent)
        # the fourth is not read
        parent = parent.parent if len(found) < GENERATIONS_BACK else None
    return found


def belongs(other: GenerationTask, task: GenerationTask) -> bool:
    return other.owner_id == task.owner_id and other.deleted_at is None


def children_of(task: GenerationTask) -> list[GenerationTask]:
    """The newest children with a picture, oldest first."""
    drawn = GeneratedImage.objects.shown().filter(task=OuterRef("pk"))
    # sorted here: for a sorted query SQLite reads all tasks of the owner
    rows = task.retries.live().filter(Exists(drawn)).order_by()
    return sorted((each for each in rows if each.owner_id == task.owner_id), key=age)[-CHILDREN:]


def first_pictures(tasks: Iterable[GenerationTask]) -> dict[uuid.UUID, GeneratedImage]:
    rows = GeneratedImage.objects.shown().filter(task__in=list(tasks))
    return {image.task_id: image for image in rows.order_by("-index")}


def related_picture(image: GeneratedImage, change: str, *, current: bool) -> RelatedPicture:
    return {
        "key": key_of(image),
        "thumbnail_url": image.data["thumbnail_url"],
        "task_url": reverse("task", args=[image.task_id]),
        "change": change,
        "current": current,
    }


def change_between(parent: GenerationTask, child: GenerationTask) -> str:
    """Name of the first setting that differs."""
    before, after = settings_of(parent), settings_of(child)
    for name in COMPARED:
        if before[name] != after[name]:
            return name
    return "again" if repeats_seed(parent, child) else "seed"


def repeats_seed(parent: GenerationTask, child: GenerationTask) -> bool:
    """Whether the child begins with the seed of one of the parent's pictures."""
    if child.requested_seed is None or parent.seed is None:
        return False
    return (child.requested_seed - parent.seed) % SEED_COUNT < parent.image_count
