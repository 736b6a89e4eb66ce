"""What tools of the Model Context Protocol return: text for models, JSON for programs, pictures."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from typing import Any

import mcp_types as mcp
from django.http import HttpRequest
from django.utils.translation import gettext as _

from generation import images
from generation.api.resources import picture_resource, task_resource
from generation.choices import TaskStatus
from generation.error_codes import ErrorCode
from generation.models import GeneratedImage, GenerationTask
from generation.selectors import Card

MAX_CONTENT = 680 * 1024
"""Bytes of all picture files in one answer: the official client takes events of 1 MiB."""


def task_result(request: HttpRequest, task: GenerationTask, card: Card) -> mcp.CallToolResult:
    """The task as the API shows it, in words, and its pictures."""
    resource = task_resource(card, request)
    text = mcp.TextContent(text="\n".join(sentences(resource)))
    return mcp.CallToolResult(content=[text, *contents(task)], structured_content=resource)


def sentences(task: dict[str, Any]) -> Iterator[str]:
    status = TaskStatus(task["status"])
    yield _("{status}, {percent} of 100. Task {task_id}.").format(
        status=status.label, percent=round(task["progress"]), task_id=task["id"]
    )
    if task["queue"] is not None:
        yield _("Position {number} in the queue.").format(number=task["queue"]["position"])
    if task["error"] is not None:
        code = ErrorCode(task["error"]["code"])
        yield f"{code.value}: {code.label}"
    if status in (TaskStatus.QUEUED, TaskStatus.RUNNING):
        yield _("It goes on by itself. Call `status` with its task_id and `wait` for its pictures.")
    for picture in task["pictures"]:
        if picture["withheld"] is None:
            yield _("Picture {number}: {url}").format(number=picture["index"], url=picture["url"])
        else:
            yield withheld_sentence(picture)
    yield _("Page: {url}").format(url=task["urls"]["page"])


def withheld_sentence(picture: dict[str, Any]) -> str:
    why = picture["withheld"]
    if why["state"] == "held":
        sentence = _("Picture {number} is being looked at before it is shown.")
    else:
        sentence = _("Picture {number} was hidden by a reviewer: {reason}")
    reason = " ".join(filter(None, (why["reason"], why["note"])))
    return sentence.format(number=picture["index"], reason=reason)


def contents(task: GenerationTask) -> Iterator[mcp.ImageContent | mcp.TextContent]:
    """The pictures; of a large one the thumbnail, which may not have been made yet."""
    rows = list(task.images.shown().order_by("index"))
    for image in rows:
        content = content_of(image, most=MAX_CONTENT // len(rows))
        yield content or mcp.TextContent(
            text=_(
                "Picture {number} is too large for this answer. Fetch its address, or call "
                "`status` again in a moment for a preview."
            ).format(number=image.index)
        )


def content_of(image: GeneratedImage, *, most: int) -> mcp.ImageContent | None:
    """The picture or its thumbnail, of at most `most` bytes."""
    for name in (image.file if image.bytes <= most else "", image.thumbnail):
        # a file that is missing has an address that says so
        with contextlib.suppress(FileNotFoundError):
            if name and len(data := images.read(name)) <= most:
                encoded = base64.b64encode(data).decode()
                return mcp.ImageContent(data=encoded, mime_type=images.content_type(name))
    return None


def picture_list(
    request: HttpRequest, cards: list[Card], further: str | None
) -> mcp.CallToolResult:
    """The pictures of these tasks; `further`: `before` of the next call."""
    found = [
        {
            "task_id": card["id"],
            "prompt": card["task"]["prompt"],
            **picture_resource(card["id"], picture, request),
        }
        for card in cards
        for picture in card["state"]["images"]
        if "withheld" not in picture
    ]
    lines = [f"{each['url']} {each['prompt']}" for each in found] or [_("No pictures.")]
    return mcp.CallToolResult(
        content=[mcp.TextContent(text="\n".join(lines))],
        structured_content={"pictures": found, "next": further},
    )
