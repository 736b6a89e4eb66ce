"""Errors of the API: problem documents (RFC 9457) with the codes of the socket."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseProblem
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError

from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import (
    AccountLeaving,
    InvalidInput,
    LimitReached,
    NotFound,
    PictureWithheld,
    ScopeMissing,
    StudioError,
    TransitionRefused,
)
from generation.outages import database
from generation.protocol import reached_headers
from generation.protocol.close_codes import CloseCode
from generation.sessions import ConnectionRejected
from generation.views.problem_json import problem

logger = logging.getLogger(__name__)

MALFORMED = {ErrorCode.NOT_JSON: 400, ErrorCode.TOO_LONG: 413}
REJECTED = {
    CloseCode.NOT_SIGNED_IN: (ErrorCode.NOT_SIGNED_IN, 401),
    CloseCode.REFUSED: (ErrorCode.ACCOUNT_DISABLED, 403),
    CloseCode.FLOODING: (ErrorCode.FLOODING, 429),
}


def not_found() -> HttpResponse:
    """The same for what does not exist and for what belongs to another user."""
    return problem(ErrorCode.NOT_FOUND, 404)


def of_studio(request: HttpRequest, error: Any) -> HttpResponse:
    more = error.data if isinstance(error, InvalidInput) else None
    field = getattr(error, "field", None)
    return problem(error.code, status_of(error), field=field, more=more)


def of_limit(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(error.code, 429, limit=error.data, headers=limit_headers(error))


def limit_headers(error: StudioError) -> dict[str, str]:
    """What is left of a limit that was reached, and when to repeat; empty for other errors."""
    if not isinstance(error, LimitReached):
        return {}
    return reached_headers(error.data, now=clock.now().timestamp())


def status_of(error: StudioError) -> int:
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, ScopeMissing | AccountLeaving | PictureWithheld):
        return 403
    if isinstance(error, LimitReached):
        return 429
    if isinstance(error, TransitionRefused):
        return 409
    return MALFORMED.get(error.code, 422) if isinstance(error, InvalidInput) else 500


def of_rejection(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(*rejection_of(error))


def rejection_of(error: ConnectionRejected) -> tuple[ErrorCode, int]:
    """(code, status)."""
    return REJECTED.get(error.close_code, (ErrorCode.UNAVAILABLE, 503))


def of_database(request: HttpRequest, error: Any) -> HttpResponse:
    if not database.is_outage(error):
        logger.error("%s: database", request.path, exc_info=error)
    return problem(ErrorCode.UNAVAILABLE, 503)


def of_parameters(request: HttpRequest, error: Any) -> HttpResponse:
    """A parameter of the path or of the query that cannot be read."""
    places = [each["loc"] for each in error.errors]
    if any(place[0] == "path" for place in places):
        return not_found()
    return problem(ErrorCode.BAD_MESSAGE, 422, field=str(places[0][-1]))


def of_anything(request: HttpRequest, error: Any) -> HttpResponse:
    logger.error("%s", request.path, exc_info=error)
    return problem(ErrorCode.INTERNAL_ERROR, 500)


def handle_errors(api: NinjaAPI) -> None:
    api.add_exception_handler(StudioError, of_studio)
    api.add_exception_handler(LimitReached, of_limit)
    api.add_exception_handler(ConnectionRejected, of_rejection)
    api.add_exception_handler(DatabaseProblem, of_database)
    api.add_exception_handler(ValidationError, of_parameters)
    api.add_exception_handler(Http404, lambda request, error: not_found())
    api.add_exception_handler(
        RequestDataTooBig, lambda request, error: problem(ErrorCode.TOO_LONG, 413)
    )
    api.add_exception_handler(Exception, of_anything)
