"""Operations on pictures; their bytes are at `url` and `thumbnail_url` of a task."""

from __future__ import annotations

import uuid
from typing import Any

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponseBase
from ninja import Path, Router

from generation import selectors, services
from generation.api.resources import answer, picture_settings
from generation.api.schemas import AppealText, Favourite, PictureSettings, document
from generation.api.token_auth import user_of
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.limits import MAX_IMAGES
from generation.views.json_api import json_body

router = Router(tags=["pictures"])
PICTURE = "/tasks/{uuid:task_id}/pictures/{index}"
Index = Path(..., ge=1, le=MAX_IMAGES)


@router.get(PICTURE, url_name="picture", **document({200: PictureSettings}, problems=(404,)))
async def read_picture(
    request: HttpRequest, task_id: uuid.UUID, index: int = Index
) -> HttpResponseBase:
    """A picture with the settings that made it."""

    def read() -> dict[str, Any]:
        detail = selectors.visible_image_detail(task_id, index, user_of(request))
        return picture_settings(detail, request)

    return answer(await database_sync_to_async(read)())


@router.put(
    f"{PICTURE}/favourite",
    url_name="favourite",
    **document({200: Favourite}, body=Favourite, problems=(404, 422)),
)
async def set_favourite(
    request: HttpRequest, task_id: uuid.UUID, index: int = Index
) -> HttpResponseBase:
    """Mark or unmark one of your pictures."""
    body = json_body(request)
    for name in body.keys() - {"favourite"}:
        raise InvalidInput(ErrorCode.UNKNOWN_FIELD, name)
    favourite = body.get("favourite")
    if not isinstance(favourite, bool):
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "favourite")
    await database_sync_to_async(services.set_favourite)(
        owner=user_of(request), pictures=[(task_id, index)], favourite=favourite
    )
    return answer({"favourite": favourite})


@router.post(
    f"{PICTURE}/appeal",
    url_name="appeal",
    **document({201: PictureSettings}, body=AppealText, problems=(404, 409, 422)),
)
async def appeal_picture(
    request: HttpRequest, task_id: uuid.UUID, index: int = Index
) -> HttpResponseBase:
    """Say once why one of your pictures should not be hidden."""
    body = json_body(request)
    for name in body.keys() - {"text"}:
        raise InvalidInput(ErrorCode.UNKNOWN_FIELD, name)
    text = body.get("text")
    if not isinstance(text, str):
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "text")

    def send() -> dict[str, Any]:
        user = user_of(request)
        services.appeal(owner=user, task_id=task_id, index=index, text=text, now=clock.now())
        return picture_settings(selectors.visible_image_detail(task_id, index, user), request)

    return answer(await database_sync_to_async(send)(), status=201)


@router.delete(PICTURE, url_name="picture", **document({204: None}, problems=(404, 409)))
async def delete_picture(
    request: HttpRequest, task_id: uuid.UUID, index: int = Index
) -> HttpResponseBase:
    """Move one of your pictures into the trash."""
    await database_sync_to_async(services.move_to_trash)(
        owner=user_of(request), pictures=[(task_id, index)], tasks=[], now=clock.now()
    )
    return answer(None, status=204)


@router.post(
    f"{PICTURE}/restore", url_name="restore_picture", **document({204: None}, problems=(404,))
)
async def restore_picture(
    request: HttpRequest, task_id: uuid.UUID, index: int = Index
) -> HttpResponseBase:
    """Take a picture out of the trash."""
    await database_sync_to_async(services.restore)(
        owner=user_of(request), pictures=[(task_id, index)], tasks=[], now=clock.now()
    )
    return answer(None, status=204)
