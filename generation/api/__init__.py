"""The HTTP API for programs, version 1 (docs/api.md).

Operations call the same services and selectors as the socket and the pages.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI

from generation.api import account, events, pictures, tasks
from generation.api.authentication import TokenAuth
from generation.api.problems import handle_errors, not_found, problem
from generation.error_codes import ErrorCode

api = NinjaAPI(
    title="LiuJuan Studio",
    version="1",
    urls_namespace="api",
    auth=TokenAuth(),
    description="Submit tasks, follow them, and fetch their pictures.",
)
handle_errors(api)
for module in (tasks, events, pictures, account):
    api.add_router("", module.router)


View = Callable[..., Awaitable[HttpResponse]]


def with_problems(view: View) -> View:
    """A wrong method is a problem too; ninja responds to it with plain text."""

    @functools.wraps(view)
    async def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = await view(request, *args, **kwargs)
        if response.status_code != 405:
            return response
        return problem(ErrorCode.METHOD_NOT_ALLOWED, 405, headers={"Allow": response["Allow"]})

    return wrapped


def urls() -> tuple[list[URLResolver | URLPattern], str, str]:
    patterns, app, namespace = api.urls
    for pattern in patterns:
        if isinstance(pattern, URLPattern) and iscoroutinefunction(pattern.callback):
            pattern.callback = with_problems(pattern.callback)
    return patterns, app, namespace


def unknown_operation(request: HttpRequest, **_path: str) -> HttpResponse:
    return not_found()
