"""Compression of pages, where it cannot give away what they hold (docs/security.md)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

gzip = GZipMiddleware(lambda _request: HttpResponse())
"""Adds up to 100 random bytes, so that a length says less."""


def compressed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """The view's answer with gzip, unless the request has a query.

    A page may repeat a query, and holds prompts and names. Where both meet, the length of the
    compressed page says how alike they are (BREACH). Without a query nothing is repeated.
    """

    @functools.wraps(view)
    def compressed_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if request.META.get("QUERY_STRING"):
            return response
        return gzip.process_response(request, response)

    return compressed_view
