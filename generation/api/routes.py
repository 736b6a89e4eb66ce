"""The addresses of the operations."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from http.client import responses
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, include, path, re_path, reverse
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from generation.api import (
    ROUTES,
    account_operations,
    log_operations,
    openai_operations,
    picture_operations,
    schemas,
    task_operations,
    webhook_operations,
)
from generation.api.examples import (
    EXAMPLES,
    OPENAI_FAILURE,
    OPENAI_STREAM,
    STREAM,
    problem_example,
)
from generation.api.mcp_entry import serve_mcp
from generation.api.problems import handle_errors, not_found
from generation.api.token_auth import TokenAuth
from generation.error_codes import ErrorCode
from generation.views.problem_json import CONTENT_TYPE, problem

View = Callable[..., Awaitable[HttpResponse]]


class StudioApi(NinjaAPI):
    """Describes errors as what they are, and names operations after their functions."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        name: str = operation.view_func.__name__
        return name

    def get_openapi_schema(self, **_: Any) -> OpenAPISchema:
        return self.document

    @functools.cached_property
    def document(self) -> OpenAPISchema:
        prefix = reverse("api:api-root", urlconf=ROUTES)
        schema = super().get_openapi_schema(path_prefix=prefix)
        operations = [each for path in schema["paths"].values() for each in path.values()]
        for operation in operations:
            operation["summary"] = title_of(operation["operationId"])
            for status, response in operation["responses"].items():
                complete_response(int(status), response)
                if operation["operationId"] == "generate_images":
                    response["content"] |= OPENAI_CONTENT[int(status) >= 400]
        return schema


OPENAI_ERROR = {
    "type": "object",
    "properties": {"error": schemas.OpenAIFailure.model_json_schema()},
    "required": ["error"],
}
OPENAI_CONTENT = {
    False: {"text/event-stream": {"schema": {"type": "string"}, "example": OPENAI_STREAM}},
    True: {"application/json": {"schema": OPENAI_ERROR, "example": OPENAI_FAILURE}},
}
"""What clients of OpenAI read, too: a stream, and errors; a token that is refused is a problem."""


def title_of(operation_id: str) -> str:
    return operation_id.replace("_", " ").capitalize().replace("openai", "OpenAI")


def complete_response(status: int, response: dict[str, Any]) -> None:
    """Add its phrase and an example, and the content type of problems and streams."""
    response["description"] = responses[status]
    content = response.get("content", {}).pop("application/json", None)
    if content is None:
        return
    reference = content["schema"].get("$ref", "").rpartition("/")[2]
    if status >= 400:
        response["content"] = {CONTENT_TYPE: {**content, "example": problem_example(status)}}
    elif reference:
        response["content"]["application/json"] = {**content, "example": EXAMPLES[reference]}
    else:
        response["content"]["text/event-stream"] = {**content, "example": STREAM}


api = StudioApi(
    title="LiuJuan Studio",
    version="1",
    urls_namespace="api",
    auth=TokenAuth(),
    docs_url=None,
    description="Submit tasks, follow them, and fetch their pictures.",
)
handle_errors(api)
for module in (
    task_operations,
    log_operations,
    picture_operations,
    account_operations,
    webhook_operations,
):
    api.add_router("", module.router)
api.add_router("/openai", openai_operations.router)


def with_problems(view: View) -> View:
    """Make a problem of the plain text with which ninja refuses a method."""

    @functools.wraps(view)
    async def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = await view(request, *args, **kwargs)
        if response.status_code != 405:
            return response
        return problem(ErrorCode.METHOD_NOT_ALLOWED, 405, headers={"Allow": response["Allow"]})

    return wrapped


async def mcp(request: HttpRequest) -> HttpResponseBase:
    """The endpoint of the Model Context Protocol; errors before a message are problems."""
    try:
        return await serve_mcp(request)
    except Exception as error:  # noqa: BLE001  each has its own problem
        return api.on_exception(request, error)


async def unknown_operation(request: HttpRequest) -> HttpResponse:
    return not_found()


operations, _app, _namespace = api.urls
for pattern in operations:
    if isinstance(pattern, URLPattern) and iscoroutinefunction(pattern.callback):
        pattern.callback = with_problems(pattern.callback)

OPENAI = "openai/"
"""Below it are the operations that are also where clients of OpenAI expect them."""

openai_operations_alone = [
    path(str(pattern.pattern).removeprefix(OPENAI), pattern.callback)
    for pattern in operations
    if isinstance(pattern, URLPattern) and str(pattern.pattern).startswith(OPENAI)
]

addresses: list[Any] = [
    path("api/v1/", include((operations, "api"))),
    path("v1/", include(openai_operations_alone)),
    re_path(r"^mcp/?$", mcp),
    re_path("", unknown_operation),
]
urlpatterns = (
    [path(f"{settings.BASE_PATH[1:]}/", include(addresses))] if settings.BASE_PATH else addresses
)
