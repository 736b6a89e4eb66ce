"""Operations on tasks."""

from __future__ import annotations

import uuid
from typing import Any

from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from ninja import Query, Router

from generation import selectors, services
from generation.api.resources import answer, task_resource, url_of
from generation.api.schemas import CancelAnswer, Link, Task, TaskList, document
from generation.api.submission_headers import (
    cancel_after_of,
    preferred_wait,
    request_key_of,
    submission_headers,
    wait_for_end,
)
from generation.api.token_auth import signed_in_by, user_of
from generation.api.webhook_resources import new_webhook_resource
from generation.api.webhook_schemas import CreatedTask, SubmittedTask
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput, NotFound
from generation.models import GenerationTask
from generation.protocol import Generate, parse_since, read_webhook
from generation.protocol.client_messages import read_fields
from generation.selectors import GalleryFilter
from generation.staff_permissions import CHANGE_ALL
from generation.views.json_api import json_body
from generation.views.public_url import public_url

router = Router(tags=["tasks"])
MAX_LISTED = 200
"""Tasks of one page."""

SUBMISSION = ("Idempotency-Key", "Prefer", "Cancel-After")


@router.post(
    "/tasks",
    url_name="tasks",
    **document(
        {200: Task, 201: CreatedTask}, body=SubmittedTask, headers=SUBMISSION, problems=(413, 422)
    ),
)
async def create_task(request: HttpRequest) -> HttpResponseBase:
    """Submit a task: 201, or 200 if this `Idempotency-Key` submitted it before."""
    fields, now = json_body(request), clock.now()
    webhook = fields.pop("webhook", None)
    message = generate_of(fields, key=request_key_of(request))
    submission = await database_sync_to_async(services.submit)(
        owner=user_of(request),
        request=message,
        now=now,
        cancel_after=cancel_after_of(request, now),
        webhook=None if webhook is None else read_webhook(webhook),
    )
    return await submitted(request, submission)


def generate_of(fields: dict[str, Any], *, key: str | None = None) -> Generate:
    """The socket's message with these fields; raises InvalidInput."""
    for name in ("action", "request_key"):
        if name in fields:
            raise InvalidInput(ErrorCode.UNKNOWN_FIELD, name)
    message = read_fields({**fields, "action": "generate", "request_key": key})
    assert isinstance(message, Generate)
    return message


async def submitted(request: HttpRequest, submission: services.Submission) -> HttpResponseBase:
    task = submission.task
    headers = submission_headers(submission)
    if seconds := preferred_wait(request):
        headers |= await waited(request, task, seconds)
    if submission.duplicate:
        headers["Idempotency-Replayed"] = "true"
    headers["Location"] = url_of(request, "task", task.pk)
    resource = await database_sync_to_async(read_resource)(request, task.pk)
    if submission.webhook is not None:
        resource["webhook"] = new_webhook_resource(submission.webhook, request)
    return answer(resource, status=200 if submission.duplicate else 201, headers=headers)


async def waited(request: HttpRequest, task: GenerationTask, seconds: int) -> dict[str, str]:
    """Wait for the end of the task; the header that says so, if that was possible."""
    was_possible = await wait_for_end(request, task, seconds)
    return {"Preference-Applied": f"wait={seconds}"} if was_possible else {}


def read_resource(request: HttpRequest, task_id: uuid.UUID) -> dict[str, Any]:
    task = visible(task_id, user_of(request))
    return task_resource(selectors.card_of(task, now=clock.now()), request)


def visible(task_id: uuid.UUID, user: User, *, change: bool = False) -> GenerationTask:
    """The task outside the trash; raises NotFound if the user may not see or change it."""
    task = selectors.visible_task(task_id, user)
    may = not change or task.owner_id == user.pk or user.has_perm(CHANGE_ALL)
    if not may or task.deleted_at is not None:
        raise NotFound
    return task


def own(task_id: uuid.UUID, user: User) -> GenerationTask:
    """The task of this user outside the trash; raises NotFound."""
    task = visible(task_id, user)
    if task.owner_id != user.pk:
        raise NotFound
    return task


@router.get("/tasks", url_name="tasks", **document({200: TaskList}, problems=(422,)))
async def list_tasks(
    request: HttpRequest,
    status: str = Query("", description="running (also queued), completed, failed or cancelled"),
    model: str = Query("", max_length=200),
    since: str = Query("", description="submitted at this Unix time or later"),
    favourite: bool = False,
    text: str = Query("", max_length=200, description="words of the prompt"),
    before: str = Query("", description="`next` of the previous page"),
    limit: int = Query(50, ge=1, le=MAX_LISTED),
) -> HttpResponseBase:
    """Your tasks, newest first; the header `Link` has the address of the next page."""
    if status and status not in selectors.STATUSES:
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "status")
    wanted = GalleryFilter(
        status=status, model=model, since=parse_since(since), favourite=favourite, text=text
    )

    def read() -> dict[str, Any]:
        cards, further = selectors.task_page(
            user_of(request), wanted, before=before, limit=limit, now=clock.now()
        )
        return {"tasks": [task_resource(card, request) for card in cards], "next": further}

    page = await database_sync_to_async(read)()
    return answer(page, headers=link_to_next(request, page["next"]))


def link_to_next(request: HttpRequest, further: str | None) -> dict[str, str]:
    """`Link` (RFC 8288) to the next page of a list with the same filters."""
    if further is None:
        return {}
    query = request.GET.copy()
    query["before"] = further
    return {"Link": f'<{url_of(request, "tasks")}?{query.urlencode()}>; rel="next"'}


@router.get(
    "/tasks/{uuid:task_id}",
    url_name="task",
    **document({200: Task}, headers=("Prefer",), problems=(404,)),
)
async def read_task(request: HttpRequest, task_id: uuid.UUID) -> HttpResponseBase:
    """One task as it is now, or with `Prefer: wait=n` when it is over."""
    headers = {}
    if seconds := preferred_wait(request):
        task = await database_sync_to_async(visible)(task_id, user_of(request))
        headers = await waited(request, task, seconds)
    return answer(await database_sync_to_async(read_resource)(request, task_id), headers=headers)


@router.post(
    "/tasks/{uuid:task_id}/cancel",
    url_name="cancel",
    **document({200: CancelAnswer}, problems=(404,)),
)
async def cancel_task(request: HttpRequest, task_id: uuid.UUID) -> HttpResponseBase:
    """Stop a task; repeating it changes nothing."""

    def cancel() -> str:
        user = user_of(request)
        task = visible(task_id, user, change=True)
        return services.cancel_by(
            user, task=task, now=clock.now(), address=signed_in_by(request).address
        )

    return answer({"answer": await database_sync_to_async(cancel)()})


@router.post(
    "/tasks/{uuid:task_id}/retry",
    url_name="retry",
    **document({200: Task, 201: Task}, headers=SUBMISSION, problems=(404, 409, 422)),
)
async def retry_task(request: HttpRequest, task_id: uuid.UUID) -> HttpResponseBase:
    """A new task with the settings of a failed or cancelled one."""
    text, now = request_key_of(request), clock.now()
    key = uuid.UUID(text) if text else None
    cancel_after = cancel_after_of(request, now)

    def retry() -> services.Submission:
        user = user_of(request)
        return services.retry_by(
            user,
            task=visible(task_id, user, change=True),
            now=now,
            address=signed_in_by(request).address,
            key=key,
            cancel_after=cancel_after,
        )

    return await submitted(request, await database_sync_to_async(retry)())


@router.delete(
    "/tasks/{uuid:task_id}", url_name="task", **document({204: None}, problems=(404, 409))
)
async def delete_task(request: HttpRequest, task_id: uuid.UUID) -> HttpResponseBase:
    """Move a task that is over into the trash, with its pictures."""
    await database_sync_to_async(services.move_to_trash)(
        owner=user_of(request), pictures=[], tasks=[task_id], now=clock.now()
    )
    return answer(None, status=204)


@router.post(
    "/tasks/{uuid:task_id}/restore", url_name="restore", **document({200: Task}, problems=(404,))
)
async def restore_task(request: HttpRequest, task_id: uuid.UUID) -> HttpResponseBase:
    """Take a task out of the trash."""
    await database_sync_to_async(services.restore)(
        owner=user_of(request), pictures=[], tasks=[task_id], now=clock.now()
    )
    return answer(await database_sync_to_async(read_resource)(request, task_id))


@router.post(
    "/tasks/{uuid:task_id}/share-links",
    url_name="share_links",
    **document({201: Link}, problems=(404, 409)),
)
async def create_share_link(request: HttpRequest, task_id: uuid.UUID) -> HttpResponseBase:
    """A link that shows the task without an account for seven days."""

    def create() -> dict[str, Any]:
        task = own(task_id, user_of(request))
        token, expires = services.create_link(task=task, now=clock.now())
        return {
            "url": public_url(request, reverse("shared", args=[token])),
            "expires": round(expires.timestamp(), 3),
        }

    return answer(await database_sync_to_async(create)(), status=201)


@router.delete(
    "/tasks/{uuid:task_id}/share-links",
    url_name="share_links",
    **document({204: None}, problems=(404,)),
)
async def revoke_share_links(request: HttpRequest, task_id: uuid.UUID) -> HttpResponseBase:
    """Revoke all links to the task."""

    def revoke() -> None:
        services.revoke_links(task=own(task_id, user_of(request)))

    await database_sync_to_async(revoke)()
    return answer(None, status=204)
