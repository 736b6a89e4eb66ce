"""Compression of pages where it cannot reveal their content (docs/security.md)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

gzip = GZipMiddleware(lambda _request: HttpResponse())
"""Adds up to 100 random bytes, which hide the exact length."""


def compressed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Compress the view's response with gzip, unless the request has a query.

    Pages hold prompts and names and may repeat parts of the query. The compressed length would
    then show how similar the two are (BREACH). Without a query nothing is repeated.
    """

    @functools.wraps(view)
    def compressed_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if request.META.get("QUERY_STRING"):
            return response
        return gzip.process_response(request, response)

    return compressed_view
