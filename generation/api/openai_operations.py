"""What clients of OpenAI's image API send: the fields, the responses and the errors they expect.

The client gives up after 600 s without a byte and repeats a request that it lost, without a key of
its own; it counts the repetitions in `x-stainless-retry-count`.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from ninja import Router

from generation import images, selectors, services
from generation.api.problems import limit_headers, rejection_of, status_of
from generation.api.resources import answer, url_of
from generation.api.schemas import OpenAIImages, OpenAIModels, OpenAIRequest, document
from generation.api.submission_headers import submission_headers
from generation.api.token_auth import signed_in_by, user_of
from generation.choices import TaskStatus
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput, PictureWithheld, StudioError
from generation.models import GeneratedImage, GenerationTask
from generation.protocol import Generate
from generation.protocol.client_messages import read_fields
from generation.sessions import ConnectionRejected, admitted, watching
from generation.views.json_api import json_body
from generation.views.problem_json import RETRY_AFTER
from generation.views.public_url import public_url

router = Router(tags=["OpenAI"])

OURS = frozenset({"prompt", "model", "n", "size", "negative_prompt", "steps", "guidance", "seed"})
"""Fields that are read; clients may send more, such as `quality`, which mean nothing here."""

FORMATS = ("url", "b64_json")
ANSWER_AFTER = 25.0
"""Seconds after which the response begins, so that no proxy ends it; until then a failure has its
own status."""

KEEPALIVE = 15.0
NOTICED_WITHIN = timedelta(seconds=610)
"""How late a client repeats a request that it lost: its time limit, and its pause."""

LONGEST_REQUEST = timedelta(days=1)
"""How old the task of a repeated request can be."""

MAX_REPETITIONS = 2
"""The default of the client."""

REPETITIONS = re.compile(r"[0-9]{1,3}")


class TaskFailed(StudioError):
    """The task ended without all its pictures."""


View = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


def with_openai_errors(view: View) -> View:
    """Refuse as OpenAI does, and say whether repeating the request can help."""

    @functools.wraps(view)
    async def wrapped(request: HttpRequest) -> HttpResponseBase:
        try:
            return await view(request)
        except StudioError as error:
            return openai_error(error)
        except ConnectionRejected as rejected:
            return openai_rejection(request, rejected)

    return wrapped


def openai_error(error: StudioError) -> HttpResponse:
    status = 500 if isinstance(error, TaskFailed) else status_of(error)
    headers = {"x-should-retry": "false", **limit_headers(error)}
    field, words = None, []
    if isinstance(error, InvalidInput):
        field, words = error.field, (error.data or {}).get("words", [])
    return error_answer(error.code, status, headers, field=field, words=words)


def openai_rejection(request: HttpRequest, error: ConnectionRejected) -> HttpResponse:
    """A repetition of a refused first request could get the task of another request."""
    code, status = rejection_of(error)
    headers = {"Retry-After": RETRY_AFTER} if status in (429, 503) else {}
    repeats = status == 503 or (status == 429 and repetitions_of(request) > 0)
    return error_answer(code, status, {**headers, "x-should-retry": str(repeats).lower()})


def error_answer(
    code: ErrorCode,
    status: int,
    headers: dict[str, str],
    *,
    field: str | None = None,
    words: Sequence[str] = (),
) -> HttpResponse:
    body = {
        "message": " ".join([str(code.label), *words]),
        "type": "server_error" if status >= 500 else "invalid_request_error",
        "param": field,
        "code": code.value,
    }
    return answer({"error": body}, status=400 if status == 422 else status, headers=headers)


@router.get("/models", url_name="openai_models", **document({200: OpenAIModels}))
async def list_openai_models(request: HttpRequest) -> HttpResponseBase:
    """The names of the models."""
    offers = await database_sync_to_async(selectors.model_offers)(
        user_of(request).pk, now=clock.now()
    )
    models = [
        {"id": each["name"], "object": "model", "created": 0, "owned_by": "liujuan-studio"}
        for each in offers
    ]
    return answer({"object": "list", "data": models})


@router.post(
    "/images/generations",
    url_name="openai_images",
    **document({200: OpenAIImages}, body=OpenAIRequest, problems=(413,)),
)
@with_openai_errors
async def generate_images(request: HttpRequest) -> HttpResponseBase:
    """Draw, and respond with the pictures when they are done."""
    body = json_body(request)
    wanted = response_format(body)
    is_stream = wants_stream(body)
    message = generate_of(body)
    # a request that cannot wait is refused before it submits a task
    async with admitted(signed_in_by(request)) as watch:
        submission = await database_sync_to_async(submit)(request, message)
        task = submission.task
        headers = headers_of(request, submission)
        if is_stream:
            return streaming(streamed(request, task), "text/event-stream; charset=utf-8", headers)
        if not task.is_over:
            watch.follow(task, after=0)
            await watch.until_over(within=ANSWER_AFTER)
    result = await database_sync_to_async(result_of)(request, task, wanted)
    if result is not None:
        return answer(result, headers=headers)
    return streaming(slowly(request, task, wanted), "application/json", headers)


def response_format(body: dict[str, Any]) -> str:
    wanted = body.get("response_format") or FORMATS[0]
    if wanted not in FORMATS:
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "response_format")
    return str(wanted)


def wants_stream(body: dict[str, Any]) -> bool:
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "stream")
    return bool(stream)


def generate_of(body: dict[str, Any]) -> Generate:
    """The message of a socket; raises InvalidInput."""
    fields = {name: value for name, value in body.items() if name in OURS}
    if fields.get("size") == "auto":
        del fields["size"]
    message = read_fields({**fields, "action": "generate"})
    assert isinstance(message, Generate)
    return message


def submit(request: HttpRequest, message: Generate) -> services.Submission:
    """A new task, or for a repeated request probably the one that it has submitted.

    The client sends no key: it is the newest task with the same settings that is unfinished or
    ended so late that its response may be lost. It can be that of another request.
    """
    now = clock.now()
    if repetitions := repetitions_of(request):
        known = services.newest_like(
            owner=user_of(request),
            request=message,
            created_since=now - LONGEST_REQUEST,
            ended_since=now - NOTICED_WITHIN * repetitions,
        )
        if known is not None:
            return services.Submission(task=known, duplicate=True)
    return services.submit(owner=user_of(request), request=message, now=now)


def repetitions_of(request: HttpRequest) -> int:
    """How often the client says it repeated this request, at most MAX_REPETITIONS."""
    text = request.headers.get("x-stainless-retry-count", "")
    return min(int(text), MAX_REPETITIONS) if REPETITIONS.fullmatch(text) else 0


def headers_of(request: HttpRequest, submission: services.Submission) -> dict[str, str]:
    """What is left of the limits, and where the true progress is."""
    headers = submission_headers(submission)
    return {**headers, "X-Task-Events": url_of(request, "stream", submission.task.pk)}


def result_of(request: HttpRequest, task: GenerationTask, wanted: str) -> dict[str, Any] | None:
    """The response; None while the task is unfinished. Raises TaskFailed and PictureWithheld.

    Withheld pictures are left out.
    """
    task.refresh_from_db()
    if not task.is_over:
        return None
    if task.status != TaskStatus.COMPLETED:
        raise TaskFailed(ErrorCode(task.error_code) if task.error_code else ErrorCode.CALL_ABORTED)
    stored = list(task.images.order_by("index"))
    pictures = [each for each in stored if not each.withheld]
    if stored and not pictures:
        raise PictureWithheld
    if wanted == "url":
        token, _expires = services.create_link(task=task, now=clock.now())
        data = [{"url": shared_url(request, token, each)} for each in pictures]
    else:
        data = [{"b64_json": encoded(each)} for each in pictures]
    return {"created": int(task.created.timestamp()), "data": data}


def shared_url(request: HttpRequest, token: str, picture: GeneratedImage) -> str:
    """An address that needs no token, as those of OpenAI."""
    return public_url(request, reverse("shared-picture", args=[token, picture.index]))


def encoded(picture: GeneratedImage) -> str:
    return base64.b64encode(images.path_of(picture.file).read_bytes()).decode()


def streaming(
    chunks: AsyncGenerator[str], content_type: str, headers: dict[str, str]
) -> StreamingHttpResponse:
    unbuffered = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(
        chunks, content_type=content_type, headers={**headers, **unbuffered}
    )


async def slowly(request: HttpRequest, task: GenerationTask, wanted: str) -> AsyncGenerator[str]:
    """Spaces until the task is over, then the JSON.

    A failure cuts the connection: the client repeats the request and gets its status then.
    """
    async with watching(task, signed_in_by(request), after=0, was_admitted=True) as watch:
        while not watch.is_over:
            yield " "
            await watch.until_over(within=KEEPALIVE)
    yield json.dumps(await database_sync_to_async(result_of)(request, task, wanted))


async def streamed(request: HttpRequest, task: GenerationTask) -> AsyncGenerator[str]:
    """One event for each picture; comments until then, because a preview does not exist."""
    yield ": queued\n\n"
    async with watching(task, signed_in_by(request), after=0, was_admitted=True) as watch:
        while not watch.is_over:
            await watch.until_over(within=KEEPALIVE)
            yield ": drawing\n\n"
    try:
        result = await database_sync_to_async(result_of)(request, task, "b64_json")
    except (TaskFailed, PictureWithheld) as error:
        yield event("error", {"error": {"message": str(error.code.label), "code": error.code}})
        return
    assert result is not None
    for picture in result["data"]:
        yield event(
            "image_generation.completed",
            {
                "type": "image_generation.completed",
                "b64_json": picture["b64_json"],
                "created_at": result["created"],
            },
        )


def event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
