"""HTTP transports of the protocol, for networks without WebSockets (docs/protocol.md)."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from django.db import Error as DatabaseProblem
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_GET, require_POST

from accounts.client_address import client_address
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.protocol import parse_cursors, parse_since
from generation.protocol.close_codes import CloseCode
from generation.sessions import (
    ConnectionRejected,
    Credentials,
    Session,
    allows_request,
    session_credentials,
)
from generation.sessions.poll import PollResponse
from generation.sessions.stream import EventStream
from generation.views.json_api import body_of, error_response, json_error

Answer = Callable[[HttpRequest, Session, PollResponse], Awaitable[None]]
View = Callable[[HttpRequest], Coroutine[Any, Any, HttpResponseBase]]


def polling_view(answer: Answer) -> View:
    """Make a JSON view of `answer`, for signed-in users and with a socket's rate limit."""

    @functools.wraps(answer)
    async def view(request: HttpRequest) -> HttpResponseBase:
        credentials = credentials_of_request(request)
        try:
            signed_in = await credentials.sign_in()
            if not allows_request(signed_in.user.pk):
                return json_error(ErrorCode.FLOODING, 429)
            response = PollResponse(signed_in.user.pk)
            await answer(request, Session(signed_in, response), response)
        except ConnectionRejected as rejected:
            disabled = rejected.close_code == CloseCode.REFUSED
            return json_error(
                ErrorCode.ACCOUNT_DISABLED if disabled else ErrorCode.NOT_SIGNED_IN, 403
            )
        except (InvalidInput, DatabaseProblem) as error:
            return error_response(request, error)
        return HttpResponse(
            response.text,
            status=response.status,
            content_type="application/json",
            headers=response.headers,
        )

    return view


@require_POST
@polling_view
async def messages(request: HttpRequest, session: Session, response: PollResponse) -> None:
    """Handle one client message; an invalid one is answered by an `error` frame."""
    try:
        text = text_of(request)
    except InvalidInput as error:
        await session.refuse(error.code, None)
    else:
        await session.handle(text)


def text_of(request: HttpRequest) -> str:
    """The body as text; raises InvalidInput if it is too long or not UTF-8."""
    try:
        return body_of(request).decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(ErrorCode.NOT_JSON) from error


@require_GET
@polling_view
async def poll(request: HttpRequest, session: Session, response: PollResponse) -> None:
    """Respond with everything that a stream would have sent for these `cursors`."""
    await response.poll(session, cursors_of(request), parse_since(request.GET.get("since", "")))


@require_GET
async def events(request: HttpRequest) -> HttpResponseBase:
    """The event stream.

    A rejected client gets one `close` event, because EventSource hides the HTTP status.
    """
    try:
        cursors, since = cursors_of(request), parse_since(request.GET.get("since", ""))
    except InvalidInput as error:
        return error_response(request, error)
    stream = EventStream(credentials_of_request(request), cursors, since)
    return StreamingHttpResponse(
        stream.chunks(),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"},
    )


def credentials_of_request(request: HttpRequest) -> Credentials:
    return session_credentials(request.COOKIES, address=client_address(request))


def cursors_of(request: HttpRequest) -> Mapping[str, int]:
    """{task_id: highest seq known}, the higher one of `cursors` and Last-Event-ID."""
    cursors = parse_cursors(request.GET.get("cursors", ""))
    for task_id, seq in parse_cursors(request.headers.get("Last-Event-ID", "")).items():
        cursors[task_id] = max(seq, cursors.get(task_id, 0))
    return cursors
