"""The handler of server errors: 503 for temporary causes such as an outage, otherwise 500."""

from __future__ import annotations

import base64
import hashlib
import random
import re
import sys
from collections.abc import Iterator

from django.db import ProgrammingError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template import loader
from django.urls import reverse
from django.views import defaults

from generation import readiness
from generation.error_codes import ErrorCode
from generation.outages import database

MIN_RETRY_AFTER, MAX_RETRY_AFTER = 10, 20
"""Seconds until a page tries again; random, so that not all pages retry at once."""

STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def server_error(request: HttpRequest, template_name: str = "500.html") -> HttpResponseBase:
    """Response to every exception that views and middleware did not handle."""
    error = sys.exc_info()[1]
    if error is None or not is_temporary(error):
        return defaults.server_error(request, template_name)
    response = unavailable(request)
    # keeps Django from logging a traceback per request; the outage was logged already
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def is_temporary(error: BaseException) -> bool:
    """Whether the cause is an outage, missing static files or missing migrations, not the code."""
    for each in causes_of(error):
        if database.is_outage(each):
            return True
        if isinstance(each, ValueError) and "staticfiles manifest" in str(each):
            return not readiness.static_files().ok
        if isinstance(each, ProgrammingError):
            return not readiness.database_check.wait(1.0)["migrations"].ok
    return False


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def unavailable(request: HttpRequest) -> HttpResponse:
    """A 503 page, or JSON for scripts. The page needs no static files, which may be missing."""
    seconds = random.randint(MIN_RETRY_AFTER, MAX_RETRY_AFTER)  # noqa: S311  spreads load
    if "text/html" not in request.headers.get("Accept", ""):
        code = ErrorCode.UNAVAILABLE
        body = {"code": code.value, "message": str(code.label)}
        response: HttpResponse = JsonResponse(body, status=503)
    else:
        again = seconds if request.method == "GET" else None
        html = loader.render_to_string("503.html", {"again": again, "studio": reverse("studio")})
        response = HttpResponse(html, status=503)
        response["Content-Security-Policy"] = policy(html)
    response["Retry-After"] = str(seconds)
    response["Cache-Control"] = "no-store"
    return response


def policy(html: str) -> str:
    """Content-Security-Policy that allows only the page's own styles, by their hashes."""
    styles = STYLE.findall(html)
    hashes = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in styles]
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    return f"default-src 'none'; style-src {allowed}; base-uri 'none'; frame-ancestors 'none'"
