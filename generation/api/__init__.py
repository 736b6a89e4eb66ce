"""The HTTP API for programs, version 1 (docs/api.md).

Operations call the same services and selectors as the socket and the pages.
"""

from __future__ import annotations

from importlib import import_module

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponseBase
from django.urls import get_resolver
from django.views.decorators.csrf import csrf_exempt

ROUTES = "generation.api.routes"
DOCS_PAGE = "generation.api.docs_page"


@csrf_exempt
async def api(request: HttpRequest) -> HttpResponseBase:
    """Load the operations with the first request, in a thread: ninja and pydantic are large."""
    await sync_to_async(import_module)(ROUTES)
    view, arguments, named = get_resolver(ROUTES).resolve(request.path_info)
    call = view if iscoroutinefunction(view) else sync_to_async(view)
    response: HttpResponseBase = await call(request, *arguments, **named)
    return response


async def api_docs(request: HttpRequest) -> HttpResponseBase:
    """The page of the operations, which are loaded as above."""
    module = await sync_to_async(import_module)(DOCS_PAGE)
    response: HttpResponseBase = await sync_to_async(module.page)(request)
    return response
