"""JSON views for scripts: decorator, request parsing and error responses."""

from __future__ import annotations

import functools
import json
import logging
import uuid
from collections.abc import Callable, Collection
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseProblem
from django.http import HttpRequest, HttpResponseBase, JsonResponse, RawPostDataException
from django.views.decorators.cache import never_cache

from generation.error_codes import ErrorCode
from generation.exceptions import (
    AccountLeaving,
    InvalidInput,
    NotFound,
    PictureWithheld,
    ReviewConflict,
    ReviewRefused,
    StudioError,
    TransitionRefused,
)
from generation.identifiers import parse_uuid
from generation.limits import MAX_MESSAGE_BYTES, MAX_SELECTED
from generation.outages import database
from generation.selectors import PictureKey, read_key
from generation.sessions import allows_request

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponseBase]


def json_view(view: View) -> View:
    """Require a signed-in user, apply a socket's rate limit, turn errors into JSON.

    The JSON of an error is `{"code", "message"}`.
    """

    @never_cache
    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            if not request.user.is_authenticated:
                return json_error(ErrorCode.NOT_SIGNED_IN, 403)
            if not allows_request(request.user.pk):
                return json_error(ErrorCode.FLOODING, 429)
            return view(request, *args, **kwargs)
        except (StudioError, DatabaseProblem) as error:
            return error_response(request, error)

    return wrapped


def error_response(request: HttpRequest, error: StudioError | DatabaseProblem) -> JsonResponse:
    """The JSON of `error`; errors of the database are logged unless it is down."""
    if isinstance(error, StudioError):
        return json_error(error.code, status_of(error))
    if not database.is_outage(error):
        logger.error("%s: database", request.path, exc_info=error)
    return json_error(ErrorCode.UNAVAILABLE, 503)


def status_of(error: StudioError) -> int:
    """The HTTP status of `error`."""
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, AccountLeaving | PictureWithheld | ReviewRefused):
        return 403
    return 409 if isinstance(error, TransitionRefused | ReviewConflict) else 400


def json_error(code: ErrorCode, status: int) -> JsonResponse:
    return JsonResponse({"code": code.value, "message": str(code.label)}, status=status)


def json_body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in the body; raises InvalidInput for anything else."""
    body = body_of(request)
    if len(body) > MAX_MESSAGE_BYTES:
        raise InvalidInput(ErrorCode.TOO_LONG)
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(ErrorCode.NOT_JSON) from error
    if not isinstance(decoded, dict):
        raise InvalidInput(ErrorCode.BAD_MESSAGE)
    return decoded


def body_of(request: HttpRequest) -> bytes:
    """The body; raises InvalidInput."""
    try:
        return request.body
    except RequestDataTooBig as error:
        raise InvalidInput(ErrorCode.TOO_LONG) from error
    except RawPostDataException as error:
        # multipart form: the CSRF check has consumed the body
        raise InvalidInput(ErrorCode.NOT_JSON) from error


def texts_in(body: dict[str, Any], name: str) -> list[str]:
    texts = body.get(name, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidInput(ErrorCode.BAD_MESSAGE, name)
    return texts


def keys_of(texts: Collection[str]) -> list[PictureKey]:
    """Picture keys without duplicates, in the given order; raises InvalidInput."""
    if len(texts) > MAX_SELECTED:
        raise InvalidInput(ErrorCode.TOO_MANY_PICTURES, "pictures")
    return list(dict.fromkeys(read_key(text) for text in texts))


def task_ids_of(texts: Collection[str]) -> set[uuid.UUID]:
    if len(texts) > MAX_SELECTED:
        raise InvalidInput(ErrorCode.TOO_MANY_PICTURES, "tasks")
    keys = {parse_uuid(text) for text in texts}
    if None in keys:
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "tasks")
    return {key for key in keys if key is not None}
