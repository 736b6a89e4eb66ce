"""Where no socket gets through: the same messages and events over plain HTTP (docs/protocol.md)."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from channels.db import database_sync_to_async
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseProblem
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.http.request import RawPostDataException
from django.views.decorators.http import require_GET, require_POST

from generation import selectors
from generation.choices import CloseCode, ErrorCode
from generation.client_address import client_address
from generation.exceptions import InvalidInput
from generation.log_lines import database
from generation.protocol import parse_cursors, parse_since
from generation.selectors import clock
from generation.sessions import Conversation, Credentials, Refused, may_ask, our_session
from generation.sessions.poll import Letter
from generation.sessions.stream import EventStream
from generation.views.json_api import refusal

logger = logging.getLogger(__name__)

Answer = Callable[[HttpRequest, Conversation, Letter], Awaitable[None]]
View = Callable[[HttpRequest], Coroutine[Any, Any, HttpResponseBase]]


def by_letter(answer: Answer) -> View:
    """A view that answers whoever is signed in, and no faster than a socket would."""

    @functools.wraps(answer)
    async def view(request: HttpRequest) -> HttpResponseBase:
        try:
            user = await session_of(request).user()
            if not may_ask(user.pk):
                return refusal(ErrorCode.FLOODING, 429)
            letter = Letter(user.pk)
            await answer(
                request, Conversation(user, letter, address=client_address(request)), letter
            )
        except Refused as refused:
            disabled = refused.close_code == CloseCode.REFUSED
            return refusal(ErrorCode.ACCOUNT_DISABLED if disabled else ErrorCode.NOT_SIGNED_IN, 403)
        except InvalidInput as error:
            return refusal(error.code, 400)
        except DatabaseProblem as error:
            if not database.met(error):
                logger.exception("%s: database", request.path)
            return refusal(ErrorCode.UNAVAILABLE, 503)
        return HttpResponse(
            letter.text, content_type="application/json", headers={"Cache-Control": "no-store"}
        )

    return view


@require_POST
@by_letter
async def messages(request: HttpRequest, conversation: Conversation, letter: Letter) -> None:
    """One client message; a refusal of it is a frame like any other answer."""
    try:
        text = text_of(request)
    except InvalidInput as error:
        await conversation.refuse(error.code, None)
    else:
        await conversation.hear(text)


def text_of(request: HttpRequest) -> str:
    """What was sent; InvalidInput if it is too long or no text."""
    try:
        return request.body.decode()
    except RequestDataTooBig as error:
        raise InvalidInput(ErrorCode.TOO_LONG) from error
    except (UnicodeDecodeError, RawPostDataException) as error:
        # a form of several parts is gone once its token was looked at
        raise InvalidInput(ErrorCode.NOT_JSON) from error


@require_GET
@by_letter
async def poll(request: HttpRequest, conversation: Conversation, letter: Letter) -> None:
    """Everything that a stream would have told whoever knows the events in `cursors`."""
    cursors, since = cursors_of(request), parse_since(request.GET.get("since", ""))
    user, now = conversation.user, clock.now()
    tasks = await database_sync_to_async(selectors.tasks_to_follow)(user, cursors, since=since)
    await letter.say(conversation.hello(selectors.active_among(tasks, user), now=now))
    await letter.read_ahead(tasks, cursors)
    for task in tasks:
        known = cursors.get(str(task.pk), 0)
        # who knows events of a task has been told what it is
        await conversation.tell(task, after=known, introduce=not known)
    await letter.tell_outlook(user.pk, [str(task.pk) for task in tasks])
    await letter.tell_collection(user.pk)


@require_GET
async def events(request: HttpRequest) -> HttpResponseBase:
    """The stream. Who may not have it is told by its only event: a page cannot read a status."""
    try:
        cursors, since = cursors_of(request), parse_since(request.GET.get("since", ""))
    except InvalidInput as error:
        return refusal(error.code, 400)
    stream = EventStream(session_of(request), cursors, since)
    return StreamingHttpResponse(
        stream.chunks(),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"},
    )


def session_of(request: HttpRequest) -> Credentials:
    return our_session(request.COOKIES, address=client_address(request))


def cursors_of(request: HttpRequest) -> Mapping[str, int]:
    """Task id → highest event known, of the address and of the last id; the higher one counts."""
    cursors = parse_cursors(request.GET.get("cursors", ""))
    for task_id, seq in parse_cursors(request.headers.get("Last-Event-ID", "")).items():
        cursors[task_id] = max(seq, cursors.get(task_id, 0))
    return cursors
