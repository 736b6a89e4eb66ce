"""Is this process alive, and can it serve?"""

from __future__ import annotations

import asyncio

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.http import HttpRequest, HttpResponse, JsonResponse

from generation import readiness
from generation.choices import VIEW_ALL
from generation.hub import hub
from generation.readiness import Check, Health, Report

PATIENCE = 0.7
"""Seconds for all looks together: load balancers give up after one."""

PUBLIC = ("database", "migrations", "static", "storage", "layer", "workers", "models")


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


async def readyz(request: HttpRequest) -> JsonResponse:
    """503 only if this process cannot serve; storage, models and workers are told with 200.

    Everybody is told one word for each part; staff that may see all tasks also the sentences.
    """
    database, disk = await asyncio.gather(
        answer_of(readiness.database_check), answer_of(readiness.disk_check)
    )
    report: Report = database | disk | {"layer": Health(hub.groups.state)}
    body: dict[str, object] = {name: report[name].word for name in PUBLIC}
    if report["database"].ok and await is_staff(request):
        body["details"] = {name: part.detail or part.word for name, part in report.items()}
    response = JsonResponse(body, status=200 if readiness.serves(report) else 503)
    # Django would write a line for each probe of a process that cannot serve
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


async def answer_of(check: Check) -> Report:
    """What the check finds, or that it takes too long."""
    try:
        # shielded: the look goes on for those who ask next
        look = asyncio.shield(asyncio.wrap_future(check.start()))
        return await asyncio.wait_for(look, PATIENCE)
    except TimeoutError:
        return check.on_timeout()


async def is_staff(request: HttpRequest) -> bool:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    try:
        async with asyncio.timeout(PATIENCE):
            user = await request.auser()
            return user.is_active and await user.ahas_perm(VIEW_ALL)
    except (TimeoutError, DatabaseProblem):
        return False
